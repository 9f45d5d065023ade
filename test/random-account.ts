import fc from "fast-check";
import { type Api, expectStatus } from "./harness.ts";

const text = fc.constantFrom<string>(
  "Plain",
  'Quote " and, comma',
  "=SUM(A1)",
  "Ünï çodé 上",
  "@at",
  "Line\nbreak",
);
const title = text.map((name) => name.replaceAll("\n", " "));
const weight = fc.integer({ min: 0, max: 800 }).map((half) => half / 2);
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const set = fc.record({
  type: fc.constantFrom<string>("warmup", "working", "drop"),
  weight,
  weightUnit: fc.constantFrom<string>("kg", "lb"),
  reps: nullable(fc.integer({ min: 0, max: 20 })),
  rpe: nullable(fc.constantFrom<number>(6, 7.5, 10)),
  restS: nullable(fc.integer({ min: 0, max: 300 })),
  note: nullable(text),
});
/** An account with everything that an archive can contain, and texts that are hard to escape. */
export const account = fc.record({
  own: fc.integer({ min: 0, max: 3 }),
  routines: fc.array(fc.record({ name: title, exercises: fc.array(fc.nat(5), { maxLength: 4 }) }), {
    maxLength: 3,
  }),
  hasPlan: fc.boolean(),
  workouts: fc.array(
    fc.record({
      hour: fc.integer({ min: 0, max: 2000 }),
      timeZone: fc.constantFrom("UTC", "Pacific/Auckland", "America/New_York"),
      notes: nullable(text),
      outcome: fc.constantFrom("kept", "kept", "trashed", "aborted", "begun"),
      source: fc.constantFrom("free", "routine", "plan"),
      exercises: fc.array(fc.record({ index: fc.nat(5), sets: fc.array(set, { maxLength: 3 }) }), {
        maxLength: 3,
      }),
    }),
    { maxLength: 4 },
  ),
  deletions: fc.subarray(["exercise", "routine", "plan"]),
});
export type Account = typeof account extends fc.Arbitrary<infer T> ? T : never;

/** Builds an account through the API. Deletions at the end leave names in its workouts. */
export async function buildAccount(api: Api, as: string, system: string[], training: Account) {
  const post = async (path: string, body: object) => {
    const answer = await api.post(`/api/v1/${path}`, { as, body });
    expectStatus(answer, 201);
    return answer.json.id as string;
  };
  const own: string[] = [];
  for (let n = 0; n < training.own; n++) {
    const exercise = {
      primaryMuscles: [1 + n],
      equipment: [1],
      difficultyLevel: "beginner",
      category: "strength",
    };
    own.push(
      await post("exercises/user", {
        name: `Own = ${n}`,
        ...exercise,
        instructions: n ? "Lift" : null,
      }),
    );
  }
  const exerciseIds = [...system, ...own];
  const exerciseAt = (index: number) => exerciseIds[index % exerciseIds.length] as string;
  const routines: string[] = [];
  for (const [n, { name, exercises }] of training.routines.entries()) {
    const target = {
      mode: "reps",
      sets: 3,
      repsMin: 5,
      repsMax: 8,
      weight: 100.5,
      weightUnit: "lb",
      rpe: 8.5,
    };
    const entries = exercises.map((index) => ({ exerciseId: exerciseAt(index), ...target }));
    const timed = {
      exerciseName: "Unlinked plank",
      mode: "time",
      sets: 2,
      timeS: 60,
      tempo: "30X1",
    };
    routines.push(await post("routines", { name: `${name} ${n}`, exercises: [...entries, timed] }));
  }
  const days = routines.map((routineId, n) => ({ routineId, day: n + 1 }));
  const plan = training.hasPlan
    ? await post("plans", { name: "=Plan", weeks: 4, routines: days })
    : undefined;
  const source = { routineId: routines[0], planId: plan };
  for (const workout of training.workouts) await makeWorkout(api, as, workout, source, exerciseAt);
  if (training.deletions.includes("plan") && plan)
    await api.delete(`/api/v1/plans/${plan}`, { as });
  if (training.deletions.includes("routine") && routines[0])
    await api.delete(`/api/v1/routines/${routines[0]}`, { as });
  if (training.deletions.includes("exercise") && own[0])
    await api.delete(`/api/v1/exercises/${own[0]}`, { as });
}

async function makeWorkout(
  api: Api,
  as: string,
  { hour, timeZone, notes, outcome, source, exercises }: Account["workouts"][number],
  { routineId, planId }: { routineId: string | undefined; planId: string | undefined },
  exerciseAt: (index: number) => string,
) {
  const startedAt = new Date(Date.UTC(2026, 0, 1) + hour * 3_600_000);
  const entries = exercises.map(({ index, sets }) => ({
    exerciseId: exerciseAt(index),
    mode: "reps",
    sets,
  }));
  const routineFields = source === "free" || !routineId ? {} : { routineId };
  const planFields = source === "plan" && planId && routineId ? { planId } : {};
  const workout = await api.post("/api/v1/workouts", {
    as,
    body: { startedAt, timeZone, notes, exercises: entries, ...routineFields, ...planFields },
  });
  expectStatus(workout, 201);
  const path = `/api/v1/workouts/${workout.json.id}`;
  const body = { endedAt: startedAt };
  if (outcome !== "begun")
    await api.post(`${path}/${outcome === "aborted" ? "abort" : "finish"}`, { as, body });
  if (outcome === "trashed") await api.delete(path, { as });
}
