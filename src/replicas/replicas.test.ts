import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import { makeExercise } from "#test/fixtures.ts";
import { apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";
import { disturbReplay, type ReplicatedApp, startReplicatedApp } from "#test/replicated-app.ts";
import { listOperations } from "../app/app.ts";
import { watchHealth } from "../health/health.ts";

const PAIRS = 200;
let app: ReplicatedApp;
beforeAll(async () => {
  app = await startReplicatedApp();
});
afterAll(() => app.stop());

const free = (name: string) => ({ name, timeZone: "UTC", exercises: [] });
const read = async (as: string, path: string) => {
  const answer = await app.any().ask("GET", path, { as });
  return { status: answer.status, text: await answer.text() };
};
const start = async (as: string, name: string): Promise<string> => {
  const answer = await app.any().ask("POST", WORKOUTS, { as, body: free(name) });
  const { id } = (await answer.json()) as { id: string };
  expect(answer.status).toBe(201);
  return id;
};

test("all that may lag reads from the replica, and nothing else does", async () => {
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
  const made = await app.any().ask("POST", WORKOUTS, { as, body: { ...done, exercises } });
  const { id } = (await made.json()) as { id: string };
  await app.any().ask("DELETE", `${WORKOUTS}/${await start(as, "Trashed")}`, { as });
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
  // A process that began while the replica was behind does not use it before it has asked once
  // more.
  const before = await app.readsWhen(({ used }) => used === 2);
  const answers = await Promise.all(Object.values(paths).map((path) => app.api.get(path, { as })));
  await app.pauseReplay();
  // Not by the application, so that what the replica shows is old, and yet good enough.
  await app.primary.sql`delete from workouts where user_id = ${owner}`;
  try {
    for (const [at, path] of Object.values(paths).entries()) {
      expect(await read(as, path)).toEqual({ status: 200, text: answers[at]?.text as string });
      expect((await app.api.get(path, { as })).text).not.toBe(answers[at]?.text);
    }
    expect(await read(as, `${WORKOUTS}/${crypto.randomUUID()}`)).toMatchObject({ status: 404 });
    const answered = before.answered + answers.length + 1;
    expect(await app.reads()).toEqual({ ...before, answered });
  } finally {
    await app.resumeReplay();
  }
});

test(`own writes are seen at once in ${PAIRS} pairs, whatever replay does, and others' whole or not at all`, async () => {
  const people = await Promise.all(Array.from({ length: 3 }, app.makePerson));
  const watched = await app.makePerson();
  // Once, so that from now on the replica may show the watched one something old.
  await read(watched.as, WORKOUTS);
  await app.catchUp();
  const before = await app.reads();
  const stopDisturbing = disturbReplay(app, 40);
  const unseen: string[] = [];
  const halves: number[] = [];
  const { sql } = app.primary;
  try {
    for (let pair = 0; pair < PAIRS; pair++) {
      const { as } = people[pair % people.length] as (typeof people)[number];
      const id = await start(as, `Workout ${pair}`);
      const [listed, one] = await Promise.all([
        read(as, `${WORKOUTS}?pageSize=1`),
        read(as, `${WORKOUTS}/${id}`),
      ]);
      if (!listed.text.includes(id) || one.status !== 200) unseen.push(`pair ${pair}`);
      // Not by the application: nobody who reads waits for it.
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

test("a replica that is killed fails no request, leaves the processes ready, and is used again when it is back", async () => {
  const people = await Promise.all(Array.from({ length: 4 }, app.makePerson));
  for (const { as } of people) await read(as, WORKOUTS);
  await app.catchUp();
  const before = await app.readsWhen(({ used }) => used === 2);
  let isOver = false;
  const statuses = new Map<number, number>();
  const lanes = people.map(async ({ as }) => {
    while (!isOver) {
      for (const path of [WORKOUTS, "/health/ready"]) {
        const { status } = await read(as, path);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
  });
  app.signalReplica("SIGKILL");
  const without = await app.readsWhen(({ failed, used }) => failed > before.failed && used === 0);
  // Whoever keeps the replica running brings it back.
  const back = await app.readsWhen(
    ({ answered, used }) => used === 2 && answered > without.answered,
  );
  isOver = true;
  await Promise.all(lanes);
  expect([...statuses.keys()]).toEqual([200]);
  expect(without.failed).toBeGreaterThan(before.failed);
  expect(back).toMatchObject({ used: 2 });
  expect(back.answered).toBeGreaterThan(without.answered);
});

test("a process whose own database is a standby, as before a failover, is not ready, and answers writes with 503", async () => {
  const { as } = await app.makePerson();
  await app.catchUp();
  const standby = openPool(app.replicaUrl, { size: 1, prepare: false });
  const health = await watchHealth(standby, () => true);
  try {
    const api = await apiOn(standby, { deps: { health, tokens: app.api.deps.tokens } });
    const ready = await api.get("/health/ready");
    expectStatus(ready, 503);
    expect(ready.json).toMatchObject({ database_status: "offline" });
    const written = await api.post(WORKOUTS, { as, body: free("Leg day") });
    expectProblem(written, 503, "database_unavailable");
    expect([ready, written].map(({ headers }) => headers.get("retry-after"))).toEqual(["1", "1"]);
  } finally {
    health.stop();
    await standby.close(0);
  }
});
