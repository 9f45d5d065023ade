import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import { makeExercise } from "#test/fixtures.ts";
import { apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";
import {
  disturbReplay,
  keepReading,
  type ReplicatedApp,
  startReplicatedApp,
} from "#test/replicated-app.ts";
import { listOperations } from "../app/app.ts";
import { watchHealth } from "../health/health.ts";

const PAIRS = 200;
let app: ReplicatedApp;
beforeAll(async () => {
  app = await startReplicatedApp();
});
afterAll(() => app.stop());

const emptyWorkout = (name: string) => ({ name, timeZone: "UTC", exercises: [] });
const read = async (as: string, path: string) => {
  const answer = await app.any().ask("GET", path, { as });
  return { status: answer.status, text: await answer.text() };
};
const startWorkout = async (as: string, name: string): Promise<string> => {
  const answer = await app.any().ask("POST", WORKOUTS, { as, body: emptyWorkout(name) });
  const { id } = (await answer.json()) as { id: string };
  expect(answer.status).toBe(201);
  return id;
};

test("exactly the operations that may lag read from the replica", async () => {
  const { id: owner, as } = await app.makePerson();
  await app.primary.sql`insert into muscle_groups (name) values ('chest')`;
  const exerciseId = await makeExercise(app.api, { owner: { id: owner }, name: "Squat" });
  const exercises = [
    { exerciseId, mode: "reps", sets: [{ reps: 5, weight: 100, weightUnit: "kg" }] },
  ];
  const done = {
    startedAt: "2026-03-01T10:00:00Z",
    endedAt: "2026-03-01T11:00:00Z",
    timeZone: "UTC",
  };
  const created = await app.any().ask("POST", WORKOUTS, { as, body: { ...done, exercises } });
  const { id } = (await created.json()) as { id: string };
  await app.any().ask("DELETE", `${WORKOUTS}/${await startWorkout(as, "Trashed")}`, { as });
  const paths: Record<string, string> = {
    ListWorkouts: WORKOUTS,
    ListTrashedWorkouts: `${WORKOUTS}/trash`,
    ListTrainingDays: `${WORKOUTS}/calendar?from=2026-03-01&to=2026-03-31`,
    GetWorkout: `${WORKOUTS}/${id}`,
    GetRecords: `/api/v1/progress/exercises/${exerciseId}/records`,
    ListExerciseHistory: `/api/v1/progress/exercises/${exerciseId}/history`,
    GetStreaks: "/api/v1/progress/streaks?timeZone=UTC",
    ListVolume: "/api/v1/progress/volume?from=2026-03-01&to=2026-03-31",
    ListChanges: "/api/v1/changes",
    ExportArchive: "/api/v1/archive",
  };
  const mayLag = listOperations(app.api.deps).filter(({ spec }) => spec.readsMayLag);
  expect(mayLag.map(({ method, spec }) => `${method} ${spec.id}`).sort()).toEqual(
    Object.keys(paths)
      .map((operation) => `GET ${operation}`)
      .sort(),
  );
  await app.catchUp();
  // A process that started while the replica was behind uses it only after the next probe.
  const before = await app.waitForReads(({ used }) => used === 2);
  const answers = await Promise.all(Object.values(paths).map((path) => app.api.get(path, { as })));
  await app.pauseReplay();
  // Not through the application, so that the replica may show the old state.
  await app.primary.sql`delete from workouts where user_id = ${owner}`;
  try {
    for (const [index, path] of Object.values(paths).entries()) {
      expect(await read(as, path)).toEqual({ status: 200, text: answers[index]?.text as string });
      expect((await app.api.get(path, { as })).text).not.toBe(answers[index]?.text);
    }
    expect(await read(as, `${WORKOUTS}/${crypto.randomUUID()}`)).toMatchObject({ status: 404 });
    const answered = before.answered + answers.length + 1;
    expect(await app.reads()).toEqual({ ...before, answered });
  } finally {
    await app.resumeReplay();
  }
});

test(`users see their own writes at once in ${PAIRS} pairs, whatever replay does, and transactions of others completely or not at all`, async () => {
  const users = await Promise.all(Array.from({ length: 3 }, app.makePerson));
  const watched = await app.makePerson();
  // The first read records a position; from then on, the replica may show this user an old state.
  await read(watched.as, WORKOUTS);
  await app.catchUp();
  const before = await app.reads();
  const stopDisturbing = disturbReplay(app, 40);
  const unseen: string[] = [];
  const halves: number[] = [];
  const { sql } = app.primary;
  try {
    for (let pair = 0; pair < PAIRS; pair++) {
      const { as } = users[pair % users.length] as (typeof users)[number];
      const id = await startWorkout(as, `Workout ${pair}`);
      const [list, workout] = await Promise.all([
        read(as, `${WORKOUTS}?pageSize=1`),
        read(as, `${WORKOUTS}/${id}`),
      ]);
      if (!list.text.includes(id) || workout.status !== 200) unseen.push(`pair ${pair}`);
      // Not through the application, so that no read waits for these rows.
      await sql`
        insert into workouts (user_id, status, started_at, ended_at, time_zone)
        select ${watched.id}::uuid, 'completed', now(), now(), 'UTC' from generate_series(1, 2)`;
      const { text } = await read(watched.as, `${WORKOUTS}/calendar?from=2020-01-01&to=2100-01-01`);
      const [day] = JSON.parse(text) as { workoutCount: number }[];
      if ((day?.workoutCount ?? 0) % 2 === 1) halves.push(pair);
    }
  } finally {
    await stopDisturbing();
  }
  expect(unseen).toEqual([]);
  expect(halves).toEqual([]);
  const after = await app.reads();
  expect(after.behind).toBeGreaterThan(before.behind);
  expect(after.answered).toBeGreaterThan(before.answered);
});

test("killing a replica fails no request, leaves the processes ready, and the replica is used again after its restart", async () => {
  const users = await Promise.all(Array.from({ length: 4 }, app.makePerson));
  for (const { as } of users) await read(as, WORKOUTS);
  await app.catchUp();
  const before = await app.waitForReads(({ used }) => used === 2);
  const stopReading = keepReading(app, users);
  app.signalReplica("SIGKILL");
  const without = await app.waitForReads(
    ({ failed, used }) => failed > before.failed && used === 0,
  );
  // The supervisor restarts the replica.
  const back = await app.waitForReads(
    ({ answered, used }) => used === 2 && answered > without.answered,
  );
  expect(await stopReading()).toEqual([200]);
  expect(without.failed).toBeGreaterThan(before.failed);
  expect(back).toMatchObject({ used: 2 });
  expect(back.answered).toBeGreaterThan(without.answered);
});

test("a process whose database is a standby, as before a failover, is not ready and answers writes with 503", async () => {
  const { as } = await app.makePerson();
  await app.catchUp();
  const standby = openPool(app.replicaUrl, { size: 1, prepare: false });
  const health = await watchHealth(standby, () => true);
  try {
    const api = await apiOn(standby, { deps: { health, tokens: app.api.deps.tokens } });
    const ready = await api.get("/health/ready");
    expectStatus(ready, 503);
    expect(ready.json).toMatchObject({ database_status: "offline" });
    const written = await api.post(WORKOUTS, { as, body: emptyWorkout("Leg day") });
    expectProblem(written, 503, "database_unavailable");
    expect([ready, written].map(({ headers }) => headers.get("retry-after"))).toEqual(["1", "1"]);
  } finally {
    health.stop();
    await standby.close(0);
  }
});
