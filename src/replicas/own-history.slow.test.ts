import { afterAll, beforeAll, expect, test } from "bun:test";
import { WORKOUTS } from "#test/paths.ts";
import { disturbReplay, type ReplicatedApp, startReplicatedApp } from "#test/replicated-app.ts";

const USERS = 10;
const DEVICES_PER_USER = 2;
const APPENDS_PER_DEVICE = 60;
let app: ReplicatedApp;
beforeAll(async () => {
  app = await startReplicatedApp();
});
afterAll(() => app.stop());

type User = { as: string; workoutId: string; entryId: string };
type Append = { note: string; answeredMs: number };
type Read = { startedMs: number; notes: string[] };
type History = { appends: Append[]; reads: Read[] };

/** Sends a request to a random process. */
const ask = async (method: string, path: string, as: string, body?: unknown) => {
  const answer = await app.any().ask(method, path, { as, body });
  return { status: answer.status, json: JSON.parse(await answer.text()) };
};

async function makeUserWithWorkout(): Promise<User> {
  const { as } = await app.makePerson();
  const exercises = [{ exerciseName: "Squat", mode: "reps" }];
  const { json } = await ask("POST", WORKOUTS, as, { timeZone: "UTC", exercises });
  return { as, workoutId: json.id, entryId: json.exercises[0].id };
}

async function readNotes({ as, workoutId }: User): Promise<Read> {
  const startedMs = performance.now();
  const { status, json } = await ask("GET", `${WORKOUTS}/${workoutId}`, as);
  expect(status).toBe(200);
  return { startedMs, notes: json.exercises[0].sets.map(({ note }: { note: string }) => note) };
}

/** Repeatedly logs a set with a unique note, and reads the workout. */
async function useDevice(user: User, device: number, { appends, reads }: History) {
  for (let count = 0; count < APPENDS_PER_DEVICE; count++) {
    const note = `device ${device}, set ${count}`;
    const path = `${WORKOUTS}/${user.workoutId}/exercises/${user.entryId}/sets`;
    const { status } = await ask("POST", path, user.as, { reps: 5, note });
    expect(status).toBe(201);
    appends.push({ note, answeredMs: performance.now() });
    reads.push(await readNotes(user));
    await Bun.sleep(Math.random() * 20);
    reads.push(await readNotes(user));
  }
}

/**
 * Checks a history of appends to one list. The final state must contain every append once; each
 * read must be a prefix of it, and contain all appends that were answered before the read began.
 */
function faultsOf({ appends, reads }: History, final: string[]): string[] {
  const faults: string[] = [];
  const appended = appends.map(({ note }) => note);
  if (final.toSorted().join() !== appended.toSorted().join())
    faults.push("the final state is wrong");
  for (const { startedMs, notes } of reads) {
    if (notes.some((note, index) => note !== final[index]))
      faults.push(`not a prefix of the final state: ${notes.join("; ")}`);
    const seen = new Set(notes);
    const missed = appends.filter(
      ({ note, answeredMs }) => answeredMs < startedMs && !seen.has(note),
    );
    if (missed.length > 0) faults.push(`misses ${missed.map(({ note }) => note).join("; ")}`);
  }
  return faults;
}

test("users' sets are in all of their later reads, in order and once, whatever happens to the replica", async () => {
  const users = await Promise.all(Array.from({ length: USERS }, makeUserWithWorkout));
  const histories = users.map((): History => ({ appends: [], reads: [] }));
  const before = await app.reads();
  let isDone = false;
  const faults = (async () => {
    while (!isDone) {
      const stopDisturbing = disturbReplay(app, 30);
      await Bun.sleep(3000);
      await stopDisturbing();
      app.signalReplica("SIGKILL");
    }
  })();
  await Promise.all(
    users.flatMap((user, index) =>
      Array.from({ length: DEVICES_PER_USER }, (_, device) =>
        useDevice(user, device, histories[index] as History),
      ),
    ),
  );
  isDone = true;
  await faults;
  for (const [index, history] of histories.entries()) {
    const { notes } = await readNotes(users[index] as User);
    expect(faultsOf(history, notes)).toEqual([]);
  }
  const after = await app.reads();
  for (const result of ["answered", "behind", "failed"] as const)
    expect(after[result]).toBeGreaterThan(before[result]);
});

test("a hanging replica fails no read, delays reads for a limited time, and is used again once it continues", async () => {
  const { as } = await app.makePerson();
  const readConcurrently = () =>
    Promise.all(Array.from({ length: 20 }, () => ask("GET", WORKOUTS, as)));
  await app.waitForReads(({ used }) => used === 2);
  await ask("GET", WORKOUTS, as);
  await app.catchUp();
  // Opens connections that will hang.
  await readConcurrently();
  const before = await app.reads();
  app.signalReplica("SIGSTOP");
  const held = await readConcurrently();
  expect(held.map(({ status }) => status)).toEqual(held.map(() => 200));
  const without = await app.reads();
  expect(without).toMatchObject({ answered: before.answered, used: 0 });
  expect(without.failed).toBeGreaterThan(before.failed);
  expect(without.failed + without.busy).toBe(before.failed + before.busy + held.length);
  app.signalReplica("SIGCONT");
  await app.waitForReads(({ used }) => used === 2);
  expect((await ask("GET", WORKOUTS, as)).status).toBe(200);
  expect(await app.reads()).toEqual({ ...without, answered: without.answered + 1, used: 2 });
});
