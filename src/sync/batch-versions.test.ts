import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";

type Item = { kind: string; id: string; baseVersion: number | null; state: object | null };

/**
 * An exercise, a routine with it, a plan of the routine, and a workout of all three, each at
 * version 1.
 */
async function makeTraining(api: Api) {
  const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
  const muscle = await api.post("/api/v1/catalogs/muscle-groups", {
    as,
    body: { name: Bun.randomUUIDv7() },
  });
  expectStatus(muscle, 201);
  const make = async (path: string, body: object) => {
    const answer = await api.post(`/api/v1/${path}`, { as, body });
    expectStatus(answer, 201);
    return answer.json;
  };
  const fields = {
    difficultyLevel: "beginner",
    category: "strength",
    primaryMuscles: [muscle.json.id],
  };
  const exercise = await make("exercises/user", { ...fields, name: "Press" });
  const exercises = [{ exerciseId: exercise.id, mode: "reps", sets: 3 }];
  const routine = await make("routines", { name: "Push", exercises });
  const routines = [{ routineId: routine.id, day: 1 }];
  const plan = await make("plans", { name: "Plan", routines });
  const workout = await make("workouts", {
    timeZone: "UTC",
    routineId: routine.id,
    planId: plan.id,
  });
  const { timeZone, startedAt } = workout;
  const item = (kind: string, { id }: { id: string }) => {
    return (baseVersion: number | null, state: object | null): Item => ({
      kind,
      id,
      baseVersion,
      state,
    });
  };
  const change = {
    exercise: item("exercise", exercise),
    routine: (base: number | null, name: string) =>
      item("routine", routine)(base, { name, exercises: [] }),
    plan: (base: number | null, name: string) => item("plan", plan)(base, { name, routines }),
    emptyPlan: (base: number | null) => item("plan", plan)(base, { name: "Empty", routines: [] }),
    workout: (base: number | null, notes: string) =>
      item("workout", workout)(base, { timeZone, startedAt, notes, exercises: [] }),
    deleteRoutine: (base: number | null) => item("routine", routine)(base, null),
    deletePlan: (base: number | null) => item("plan", plan)(base, null),
  };
  const sync = async (...changes: Item[]): Promise<string[]> => {
    const answer = await api.post("/api/v1/sync", { as, body: { changes } });
    expectStatus(answer, 200);
    return answer.json.results.map(({ status }: { status: string }) => status);
  };
  const rename = (name: string) => api.patch(`/api/v1/plans/${plan.id}`, { as, body: { name } });
  return { change, sync, rename };
}
type Training = Awaited<ReturnType<typeof makeTraining>>;

const batches: [description: string, batch: (change: Training["change"]) => Item[]][] = [
  [
    "a routine is renamed and its plan changed",
    ({ routine, plan }) => [routine(1, "A"), plan(1, "B"), plan(2, "C")],
  ],
  [
    "an exercise is deleted, and the entities that refer to it are changed",
    ({ exercise, routine, workout }) => [
      exercise(1, null),
      routine(1, "A"),
      workout(1, "B"),
      workout(2, "C"),
    ],
  ],
  [
    "a plan is deleted and its workout changed",
    ({ deletePlan, workout }) => [deletePlan(1), workout(1, "A")],
  ],
  [
    "everything is deleted, one after the other",
    ({ exercise, workout, deletePlan, deleteRoutine }) => [
      exercise(1, null),
      deletePlan(1),
      deleteRoutine(1),
      workout(1, "A"),
    ],
  ],
  [
    "a routine is removed from its plan and then deleted",
    ({ routine, emptyPlan, deleteRoutine, workout }) => [
      routine(1, "A"),
      emptyPlan(1),
      deleteRoutine(2),
      workout(1, "B"),
    ],
  ],
];

test.each(batches)(
  "changes of one batch do not conflict with each other: %s",
  (_description, batch) =>
    withApi(async (api) => {
      const { change, sync } = await makeTraining(api);
      const changes = batch(change);
      expect(await sync(...changes)).toEqual(changes.map(() => "applied"));
    })(),
);

test(
  "a batch whose answer was lost can be sent again with more changes after it",
  withApi(async (api) => {
    const { change, sync } = await makeTraining(api);
    const lost = [change.routine(1, "A"), change.plan(1, "B")];
    await sync(...lost);
    expect(await sync(...lost, change.plan(2, "C"))).toEqual(["unchanged", "unchanged", "applied"]);
  }),
);

test(
  "an entity that was changed elsewhere is a conflict, even if another change of the batch raises its version",
  withApi(async (api) => {
    const { change, sync, rename } = await makeTraining(api);
    expectStatus(await rename("Elsewhere"), 200);
    expect(await sync(change.routine(1, "A"), change.plan(1, "B"))).toEqual([
      "applied",
      "conflict",
    ]);
    // The stored version is 3 now, and the device may have read it.
    expect(await sync(change.plan(2, "B"))).toEqual(["conflict"]);
    expect(await sync(change.routine(2, "C"), change.plan(3, "B"))).toEqual(["applied", "applied"]);
  }),
);
