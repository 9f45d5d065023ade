import { expect } from "bun:test";
import fc from "fast-check";
import { type Api, expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

/**
 * A set, an exercise of a workout or routine, and a routine of a plan, as much as is compared of
 * them.
 */
type Entry = { id: string; exerciseId: string | null; sets: [id: string, reps: number][] };
type Target = { exerciseId: string | null; sets: number };
type Day = { routineId: string; day: number };

/** What a workout, a routine and a plan ought to be. */
export type Model = {
  workout: { version: number; exercises: Entry[] };
  routine: { version: number; exercises: Target[] };
  plan: { version: number; routines: Day[] };
};

export type Fixtures = {
  api: Api;
  as: string;
  ids: { workout: string; routine: string; plan: string; routines: string[]; name: string };
  start: Model;
};

const at = fc.nat(5);
const position = fc.integer({ min: 1, max: 6 });
const number = fc.integer({ min: 1, max: 90 });
const act = <T extends string>(
  name: T,
  fields: Record<string, fc.Arbitrary<number | number[]>> = {},
) =>
  fc.record({
    act: fc.constant(name),
    at,
    position,
    number,
    twice: fc.boolean(),
    list: fc.constant([] as number[]),
    ...fields,
  });
const list = fc.array(fc.nat(2), { maxLength: 4 });

const ofWorkout = fc.oneof(
  act("add exercise"),
  act("move exercise"),
  act("move exercise"),
  act("remove exercise"),
  act("log set"),
  act("move set"),
  act("move set"),
  act("change set"),
  act("remove set"),
  act("replace workout"),
);
const ofRoutine = fc.oneof(
  act("change routine", { list }),
  act("replace routine", { list }),
  act("start"),
  act("copy routine"),
);
const ofPlan = fc.oneof(
  act("change plan", { list }),
  act("replace plan", { list }),
  act("copy plan"),
);
export type Act =
  typeof ofWorkout | typeof ofRoutine | typeof ofPlan extends fc.Arbitrary<infer T> ? T : never;

/** Two to eight edits, mostly of one thing, some of them doubled. */
export const edits: fc.Arbitrary<Act[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(ofWorkout as fc.Arbitrary<Act>, { minLength: 2, maxLength: 8 }),
  },
  {
    weight: 1,
    arbitrary: fc.array(ofRoutine as fc.Arbitrary<Act>, { minLength: 2, maxLength: 8 }),
  },
  { weight: 1, arbitrary: fc.array(ofPlan as fc.Arbitrary<Act>, { minLength: 2, maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(ofWorkout, ofRoutine, ofPlan) as fc.Arbitrary<Act>, {
      minLength: 2,
      maxLength: 8,
    }),
  },
);

const POSITIONS = (parts: { position: number }[]) =>
  expect(parts.map((part) => part.position)).toEqual(parts.map((_part, n) => n + 1));

// biome-ignore lint/suspicious/noExplicitAny: bodies of answers.
type Json = any;
/** What of a workout is compared; fails when positions have gaps or doubles. */
export function workoutOf({ version, exercises }: Json): Model["workout"] {
  POSITIONS(exercises);
  const entries = exercises.map(({ id, exerciseId, sets }: Json) => {
    POSITIONS(sets);
    return { id, exerciseId, sets: sets.map((set: Json) => [set.id, set.reps]) };
  });
  return { version, exercises: entries };
}
export function routineOf({ version, exercises }: Json): Model["routine"] {
  POSITIONS(exercises);
  return {
    version,
    exercises: exercises.map(({ exerciseId, sets }: Json) => ({ exerciseId, sets })),
  };
}
export function planOf({ version, routines }: Json): Model["plan"] {
  for (const day of [1, 2]) POSITIONS(routines.filter((entry: Json) => entry.day === day));
  return { version, routines: routines.map(({ routineId, day }: Json) => ({ routineId, day })) };
}

export async function makeFixtures(api: Api, as: string): Promise<Fixtures> {
  const post = async (path: string, body: object) => {
    const answer = await api.post(`${API}/${path}`, { as, body });
    expectStatus(answer, 201);
    return answer.json;
  };
  const name = Bun.randomUUIDv7();
  const exercises = [1, 2, 3].map((sets) => ({
    exerciseName: `Exercise ${sets}`,
    mode: "reps",
    sets,
  }));
  const routine = await post("routines", { name, exercises });
  const other = await post("routines", { name: `${name} 2`, exercises: [] });
  const routines = [routine.id, other.id, routine.id].map((routineId, n) => ({
    routineId,
    day: n === 2 ? 2 : 1,
  }));
  const plan = await post("plans", { name, routines });
  const set = (reps: number) => ({ id: Bun.randomUUIDv7(), reps });
  const done = exercises.map((exercise) => ({
    ...exercise,
    id: Bun.randomUUIDv7(),
    sets: [set(1), set(2), set(3)],
  }));
  const workout = await post("workouts", { timeZone: "UTC", exercises: done });
  return {
    api,
    as,
    ids: {
      workout: workout.id,
      routine: routine.id,
      plan: plan.id,
      routines: [routine.id, other.id],
      name,
    },
    start: { workout: workoutOf(workout), routine: routineOf(routine), plan: planOf(plan) },
  };
}

/** How the three things are stored in the end. */
export async function readModel({ api, as, ids }: Fixtures): Promise<Model> {
  const get = async (path: string) => (await api.get(`${API}/${path}`, { as })).json;
  return {
    workout: workoutOf(await get(`workouts/${ids.workout}`)),
    routine: routineOf(await get(`routines/${ids.routine}`)),
    plan: planOf(await get(`plans/${ids.plan}`)),
  };
}
