import { afterAll, beforeAll, expect, test } from "bun:test";
import { WORKOUTS } from "#test/paths.ts";
import { disturbReplay, type ReplicatedApp, startReplicatedApp } from "#test/replicated-app.ts";

const PEOPLE = 10;
/** Per person, in turn at random processes. */
const DEVICES = 2;
const APPENDS_PER_DEVICE = 60;
let app: ReplicatedApp;
beforeAll(async () => {
  app = await startReplicatedApp();
});
afterAll(() => app.stop());

type Person = { as: string; workoutId: string; entryId: string };
type Append = { note: string; answeredMs: number };
type Read = { startedMs: number; notes: string[] };
type History = { appends: Append[]; reads: Read[] };

const ask = async (method: string, path: string, as: string, body?: unknown) => {
  const answer = await app.any().ask(method, path, { as, body });
  return { status: answer.status, json: JSON.parse(await answer.text()) };
};

async function makePerson(): Promise<Person> {
  const { as } = await app.makePerson();
  const exercises = [{ exerciseName: "Squat", mode: "reps" }];
  const { json } = await ask("POST", WORKOUTS, as, { timeZone: "UTC", exercises });
  return { as, workoutId: json.id, entryId: json.exercises[0].id };
}

async function readNotes({ as, workoutId }: Person): Promise<Read> {
  const startedMs = performance.now();
  const { status, json } = await ask("GET", `${WORKOUTS}/${workoutId}`, as);
  expect(status).toBe(200);
  return { startedMs, notes: json.exercises[0].sets.map(({ note }: { note: string }) => note) };
}

/**
 * What a device does: it logs a set, which its note tells apart, and looks at the workout, over and
 * over.
 */
async function useDevice(person: Person, device: number, { appends, reads }: History) {
  for (let count = 0; count < APPENDS_PER_DEVICE; count++) {
    const note = `device ${device}, set ${count}`;
    const path = `${WORKOUTS}/${person.workoutId}/exercises/${person.entryId}/sets`;
    const { status } = await ask("POST", path, person.as, { reps: 5, note });
    expect(status).toBe(201);
    appends.push({ note, answeredMs: performance.now() });
    reads.push(await readNotes(person));
    await Bun.sleep(Math.random() * 20);
    reads.push(await readNotes(person));
  }
}

/**
 * What is wrong with a history of appends to one list: a read that misses an append which was
 * answered before it began, has one twice, or has them in another order than the last read, which
 * must have them all.
 */
function faultsOf({ appends, reads }: History, last: string[]): string[] {
  const faults: string[] = [];
  if (
    last.toSorted().join() !==
    appends
      .map(({ note }) => note)
      .toSorted()
      .join()
  )
    faults.push("the last read is wrong");
  for (const { startedMs, notes } of reads) {
    if (notes.some((note, at) => note !== last[at]))
      faults.push(`not a beginning of the last: ${notes.join("; ")}`);
    const seen = new Set(notes);
    const missed = appends.filter(
      ({ note, answeredMs }) => answeredMs < startedMs && !seen.has(note),
    );
    if (missed.length > 0) faults.push(`misses ${missed.map(({ note }) => note).join("; ")}`);
  }
  return faults;
}

test("what people logged is in all of their later reads, in order and once, whatever becomes of the replica", async () => {
  const people = await Promise.all(Array.from({ length: PEOPLE }, makePerson));
  const histories = people.map((): History => ({ appends: [], reads: [] }));
  const before = await app.reads();
  let isOver = false;
  const faults = (async () => {
    while (!isOver) {
      const stopDisturbing = disturbReplay(app, 30);
      await Bun.sleep(3000);
      await stopDisturbing();
      app.signalReplica("SIGKILL");
    }
  })();
  await Promise.all(
    people.flatMap((person, at) =>
      Array.from({ length: DEVICES }, (_, device) =>
        useDevice(person, device, histories[at] as History),
      ),
    ),
  );
  isOver = true;
  await faults;
  for (const [at, history] of histories.entries()) {
    const { notes } = await readNotes(people[at] as Person);
    expect(faultsOf(history, notes)).toEqual([]);
  }
  const after = await app.reads();
  for (const result of ["answered", "behind", "failed"] as const)
    expect(after[result]).toBeGreaterThan(before[result]);
});

test("a replica that hangs holds up no read for good, fails none, and is used again when it goes on", async () => {
  const { as } = await app.makePerson();
  const readAtOnce = () => Promise.all(Array.from({ length: 20 }, () => ask("GET", WORKOUTS, as)));
  await app.readsWhen(({ used }) => used === 2);
  await ask("GET", WORKOUTS, as);
  await app.catchUp();
  // So that there are connections to hang on.
  await readAtOnce();
  const before = await app.reads();
  app.signalReplica("SIGSTOP");
  const held = await readAtOnce();
  expect(held.map(({ status }) => status)).toEqual(held.map(() => 200));
  const without = await app.reads();
  expect(without).toMatchObject({ answered: before.answered, used: 0 });
  expect(without.failed).toBeGreaterThan(before.failed);
  expect(without.failed + without.busy).toBe(before.failed + before.busy + held.length);
  app.signalReplica("SIGCONT");
  await app.readsWhen(({ used }) => used === 2);
  expect((await ask("GET", WORKOUTS, as)).status).toBe(200);
  expect(await app.reads()).toEqual({ ...without, answered: without.answered + 1, used: 2 });
});
