import { expect } from "bun:test";
import fc from "fast-check";
import { type Api, expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

/** The compared parts of an exercise of a workout or routine, and of a routine of a plan. */
type Entry = { id: string; exerciseId: string | null; sets: [id: string, reps: number][] };
type Target = { exerciseId: string | null; sets: number };
type Day = { routineId: string; day: number };

/** The expected state of a workout, a routine and a plan. */
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

const index = fc.nat(5);
const position = fc.integer({ min: 1, max: 6 });
const number = fc.integer({ min: 1, max: 90 });
const edit = <T extends string>(
  name: T,
  fields: Record<string, fc.Arbitrary<number | number[]>> = {},
) =>
  fc.record({
    kind: fc.constant(name),
    index,
    position,
    number,
    twice: fc.boolean(),
    list: fc.constant([] as number[]),
    ...fields,
  });
const list = fc.array(fc.nat(2), { maxLength: 4 });

const ofWorkout = fc.oneof(
  edit("add exercise"),
  edit("move exercise"),
  edit("move exercise"),
  edit("remove exercise"),
  edit("log set"),
  edit("move set"),
  edit("move set"),
  edit("change set"),
  edit("remove set"),
  edit("replace workout"),
);
const ofRoutine = fc.oneof(
  edit("change routine", { list }),
  edit("replace routine", { list }),
  edit("start"),
  edit("copy routine"),
);
const ofPlan = fc.oneof(
  edit("change plan", { list }),
  edit("replace plan", { list }),
  edit("copy plan"),
);
export type EditRequest =
  typeof ofWorkout | typeof ofRoutine | typeof ofPlan extends fc.Arbitrary<infer T> ? T : never;

/** Two to eight edits, mostly of the same entity, some of them sent twice. */
export const edits: fc.Arbitrary<EditRequest[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(ofWorkout as fc.Arbitrary<EditRequest>, { minLength: 2, maxLength: 8 }),
  },
  {
    weight: 1,
    arbitrary: fc.array(ofRoutine as fc.Arbitrary<EditRequest>, { minLength: 2, maxLength: 8 }),
  },
  {
    weight: 1,
    arbitrary: fc.array(ofPlan as fc.Arbitrary<EditRequest>, { minLength: 2, maxLength: 8 }),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.oneof(ofWorkout, ofRoutine, ofPlan) as fc.Arbitrary<EditRequest>, {
      minLength: 2,
      maxLength: 8,
    }),
  },
);

const expectPositions = (parts: { position: number }[]) =>
  expect(parts.map((part) => part.position)).toEqual(parts.map((_part, index) => index + 1));

// biome-ignore lint/suspicious/noExplicitAny: bodies of responses.
type Json = any;
/** The compared parts of a workout. Fails if positions have gaps or duplicates. */
export function workoutOf({ version, exercises }: Json): Model["workout"] {
  expectPositions(exercises);
  const entries = exercises.map(({ id, exerciseId, sets }: Json) => {
    expectPositions(sets);
    return { id, exerciseId, sets: sets.map((set: Json) => [set.id, set.reps]) };
  });
  return { version, exercises: entries };
}
export function routineOf({ version, exercises }: Json): Model["routine"] {
  expectPositions(exercises);
  return {
    version,
    exercises: exercises.map(({ exerciseId, sets }: Json) => ({ exerciseId, sets })),
  };
}
export function planOf({ version, routines }: Json): Model["plan"] {
  for (const day of [1, 2]) expectPositions(routines.filter((entry: Json) => entry.day === day));
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
  const performed = exercises.map((exercise) => ({
    ...exercise,
    id: Bun.randomUUIDv7(),
    sets: [set(1), set(2), set(3)],
  }));
  const workout = await post("workouts", { timeZone: "UTC", exercises: performed });
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

/** The stored state of the three entities. */
export async function readModel({ api, as, ids }: Fixtures): Promise<Model> {
  const get = async (path: string) => (await api.get(`${API}/${path}`, { as })).json;
  return {
    workout: workoutOf(await get(`workouts/${ids.workout}`)),
    routine: routineOf(await get(`routines/${ids.routine}`)),
    plan: planOf(await get(`plans/${ids.plan}`)),
  };
}
