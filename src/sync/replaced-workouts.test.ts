import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import {
  NEW_EXERCISE,
  type SyncItem,
  statuses,
  syncBatch,
  workoutState,
} from "#test/sync-batches.ts";

// Changes are recorded at commit, so these tests commit, in a database of their own.
let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  await database.pool.sql`insert into muscle_groups (name) values ('chest')`;
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

const id = () => Bun.randomUUIDv7();
const sync = (as: string, ...items: SyncItem[]) => syncBatch(api, as, items);

test("replacing a workout keeps its names and targets, also after its exercise was deleted", async () => {
  const { as } = await makeSignedIn(api);
  const [exercise, workout, entry] = [id(), id(), id()];
  const name = `Deleted ${exercise.slice(-8)}`;
  const exercises = [
    { id: entry, exerciseId: exercise, mode: "reps", targets: { sets: 5 }, sets: [] as object[] },
  ];
  await sync(
    as,
    { kind: "exercise", id: exercise, state: { ...NEW_EXERCISE, name } },
    { kind: "workout", id: workout, state: workoutState({ exercises }) },
  );
  await api.patch(`/api/v1/exercises/user/${exercise}`, {
    as,
    body: { name: `Renamed ${exercise.slice(-8)}` },
  });
  const { targets: _targets, ...withoutTargets } = exercises[0] as (typeof exercises)[0];
  const replacement = workoutState({
    exercises: [{ ...withoutTargets, sets: [{ id: id(), reps: 3 }] }],
  });
  expect(
    statuses(await sync(as, { kind: "workout", id: workout, baseVersion: 1, state: replacement })),
  ).toEqual(["applied"]);
  const stored = async () =>
    (await api.get(`/api/v1/workouts/${workout}`, { as })).json.exercises[0];
  expect(await stored()).toMatchObject({
    exerciseName: name,
    targets: { sets: 5 },
    sets: [{ reps: 3 }],
  });
  expect(
    statuses(await sync(as, { kind: "exercise", id: exercise, baseVersion: 2, state: null })),
  ).toEqual(["applied"]);
  expect(
    statuses(
      await sync(as, {
        kind: "workout",
        id: workout,
        baseVersion: 3,
        state: workoutState({
          exercises: [
            { ...withoutTargets, exerciseName: "Whatever", sets: [{ id: id(), reps: 4 }] },
          ],
        }),
      }),
    ),
  ).toEqual(["applied"]);
  expect(await stored()).toMatchObject({
    exerciseId: null,
    exerciseName: name,
    sets: [{ reps: 4 }],
  });
});
