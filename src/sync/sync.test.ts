import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
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

test("a device sends everything that it created offline in one batch, and the same batch again changes nothing", async () => {
  const { as } = await makeSignedIn(api);
  const [exercise, routine, plan, workout, entry, set] = [id(), id(), id(), id(), id(), id()];
  const batch: SyncItem[] = [
    { kind: "exercise", id: exercise, state: NEW_EXERCISE },
    {
      kind: "routine",
      id: routine,
      state: {
        name: "Push",
        exercises: [{ exerciseId: exercise, mode: "reps", sets: 3, repsMin: 5, repsMax: 8 }],
      },
    },
    {
      kind: "plan",
      id: plan,
      state: { name: "Block", routines: [{ routineId: routine, day: 1 }] },
    },
    {
      kind: "workout",
      id: workout,
      state: workoutState({
        planId: plan,
        routineId: routine,
        exercises: [
          {
            id: entry,
            exerciseId: exercise,
            mode: "reps",
            targets: { sets: 3, repsMin: 5 },
            sets: [
              {
                id: set,
                reps: 5,
                weight: 100,
                weightUnit: "lb",
                completedAt: "2026-01-05T10:10:00+02:00",
              },
            ],
          },
        ],
      }),
    },
  ];
  const first = await sync(as, ...batch);
  expect(first.map(({ status, version, problem }: never) => [status, version, problem])).toEqual(
    batch.map(() => ["applied", 1, null]),
  );
  const stored = (await api.get(`/api/v1/workouts/${workout}`, { as })).json;
  expect(stored).toMatchObject({
    status: "completed",
    planName: "Block",
    routineName: "Push",
    durationS: 3600,
  });
  expect(stored.exercises[0]).toMatchObject({
    id: entry,
    exerciseName: "Zq Press",
    targets: { sets: 3, repsMin: 5 },
  });
  expect(stored.exercises[0].sets[0]).toMatchObject({ id: set, weightKg: 45.3592 });
  expect(statuses(await sync(as, ...batch))).toEqual(batch.map(() => "unchanged"));
  expect((await api.get(`/api/v1/workouts/${workout}`, { as })).json).toEqual(stored);
});

test("a change based on an old version is a conflict, which shows the stored state and changes nothing", async () => {
  const { as } = await makeSignedIn(api);
  const routine = id();
  const state = { name: "Pull", exercises: [] };
  await sync(as, { kind: "routine", id: routine, state });
  await api.patch(`/api/v1/routines/${routine}`, {
    as,
    body: { description: "Changed elsewhere" },
  });
  const mine = { name: "Mine", exercises: [] };
  const [update, deletion] = await sync(
    as,
    { kind: "routine", id: routine, baseVersion: 1, state: mine },
    { kind: "routine", id: routine, baseVersion: 1, state: null },
  );
  for (const result of [update, deletion]) {
    expect(result).toMatchObject({
      status: "conflict",
      version: 2,
      current: { description: "Changed elsewhere" },
    });
  }
  expect(statuses(await sync(as, { kind: "routine", id: routine, state: mine }))).toEqual([
    "conflict",
  ]);
  expect((await api.get(`/api/v1/routines/${routine}`, { as })).json).toMatchObject({
    name: "Pull",
    version: 2,
  });
  const [applied] = await sync(as, { kind: "routine", id: routine, baseVersion: 2, state: mine });
  expect(applied).toMatchObject({ status: "applied", version: 3 });
  // Absent fields are cleared.
  expect((await api.get(`/api/v1/routines/${routine}`, { as })).json).toMatchObject({
    name: "Mine",
    description: null,
  });
});

test.each(["exercise", "routine", "plan", "workout"])(
  "a deleted %s is not restored by an old batch that arrives late",
  async (kind) => {
    const { as } = await makeSignedIn(api);
    const entity = { kind, id: id() };
    const state = {
      exercise: { ...NEW_EXERCISE, name: `Late ${entity.id.slice(-8)}` },
      routine: { name: "Late", exercises: [] },
      plan: { name: "Late", routines: [] },
      workout: workoutState(),
    }[kind] as object;
    expect(statuses(await sync(as, { ...entity, state }))).toEqual(["applied"]);
    expect(statuses(await sync(as, { ...entity, baseVersion: 1, state: null }))).toEqual([
      "applied",
    ]);
    expect(statuses(await sync(as, { ...entity, baseVersion: 1, state: null }))).toEqual([
      "unchanged",
    ]);
    for (const late of [
      { ...entity, state },
      { ...entity, baseVersion: 1, state },
    ]) {
      const [result] = await sync(as, late);
      expect(result).toMatchObject({ status: "conflict", version: null, current: null });
    }
    // Also within one batch.
    const other = { kind, id: id() };
    const otherState = "name" in state ? { ...state, name: `Other ${other.id.slice(-8)}` } : state;
    const results = await sync(
      as,
      { ...other, state: otherState },
      { ...other, baseVersion: 1, state: null },
      { ...other, state: otherState },
    );
    expect(statuses(results)).toEqual(["applied", "applied", "conflict"]);
  },
);

test("a refused change carries its problem, and the other changes are applied", async () => {
  const { as } = await makeSignedIn(api);
  const stranger = await makeSignedIn(api);
  const [taken, system, fine] = [id(), await makeExercise(api, { name: "Zq System" }), id()];
  await sync(stranger.as, { kind: "routine", id: taken, state: { name: "Theirs", exercises: [] } });
  const results = await sync(
    as,
    { kind: "routine", id: taken, state: { name: "Mine", exercises: [] } },
    { kind: "routine", id: id(), state: { name: "", exercises: [{}] } },
    {
      kind: "routine",
      id: id(),
      state: { name: "X", exercises: [{ exerciseId: id(), mode: "reps", sets: 1 }] },
    },
    { kind: "exercise", id: system, state: NEW_EXERCISE },
    { kind: "exercise", id: system, baseVersion: 1, state: null },
    { kind: "workout", id: id(), state: workoutState({ status: "in_progress" }) },
    { kind: "workout", id: id(), state: workoutState({ endedAt: "2026-01-05T09:00:00Z" }) },
    {
      kind: "workout",
      id: id(),
      state: workoutState({ exercises: [{ mode: "reps", exerciseName: "X", sets: [] }] }),
    },
    { kind: "routine", id: taken, baseVersion: 1, state: null },
    { kind: "routine", id: fine, state: { name: "Fine", exercises: [] } },
  );
  expect(
    results.map(({ status, problem }: { status: string; problem: { code: string } | null }) => [
      status,
      problem?.code,
    ]),
  ).toEqual([
    ["refused", "routines.id_taken"],
    ["refused", "invalid_request"],
    ["refused", "routines.exercise_not_found"],
    ["refused", "exercises.id_taken"],
    ["refused", "exercises.not_deletable"],
    ["refused", "workouts.status_mismatch"],
    ["refused", "workouts.ends_before_start"],
    ["refused", "invalid_request"],
    // To this user, the routine does not exist.
    ["unchanged", undefined],
    ["applied", undefined],
  ]);
  expect(results[1].problem.errors.map(({ field }: { field: string }) => field)).toContain(
    "/exercises/0/mode",
  );
  expect((await api.get(`/api/v1/routines/${taken}`, stranger)).json.name).toBe("Theirs");
});
