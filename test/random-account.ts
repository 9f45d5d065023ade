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
const pounds = fc.integer({ min: 0, max: 800 }).map((half) => half / 2);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const set = fc.record({
  type: fc.constantFrom<string>("warmup", "working", "drop"),
  weight: pounds,
  weightUnit: fc.constantFrom<string>("kg", "lb"),
  reps: maybe(fc.integer({ min: 0, max: 20 })),
  rpe: maybe(fc.constantFrom<number>(6, 7.5, 10)),
  restS: maybe(fc.integer({ min: 0, max: 300 })),
  note: maybe(text),
});
/** Everything that an archive holds, and texts that are hard to write down. */
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
      notes: maybe(text),
      fate: fc.constantFrom("kept", "kept", "trashed", "aborted", "begun"),
      source: fc.constantFrom("free", "routine", "plan"),
      exercises: fc.array(fc.record({ which: fc.nat(5), sets: fc.array(set, { maxLength: 3 }) }), {
        maxLength: 3,
      }),
    }),
    { maxLength: 4 },
  ),
  losses: fc.subarray(["exercise", "routine", "plan"]),
});
export type Account = typeof account extends fc.Arbitrary<infer T> ? T : never;

/** Builds an account through the API: what is lost at the end leaves names behind. */
export async function buildAccount(api: Api, as: string, system: string[], given: Account) {
  const post = async (path: string, body: object) => {
    const made = await api.post(`/api/v1/${path}`, { as, body });
    expectStatus(made, 201);
    return made.json.id as string;
  };
  const own: string[] = [];
  for (let n = 0; n < given.own; n++) {
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
  const known = [...system, ...own];
  const choose = (which: number) => known[which % known.length] as string;
  const routines: string[] = [];
  for (const [n, { name, exercises }] of given.routines.entries()) {
    const target = {
      mode: "reps",
      sets: 3,
      repsMin: 5,
      repsMax: 8,
      weight: 100.5,
      weightUnit: "lb",
      rpe: 8.5,
    };
    const entries = exercises.map((which) => ({ exerciseId: choose(which), ...target }));
    const timed = {
      exerciseName: "Nobody's plank",
      mode: "time",
      sets: 2,
      timeS: 60,
      tempo: "30X1",
    };
    routines.push(await post("routines", { name: `${name} ${n}`, exercises: [...entries, timed] }));
  }
  const days = routines.map((routineId, n) => ({ routineId, day: n + 1 }));
  const plan = given.hasPlan
    ? await post("plans", { name: "=Plan", weeks: 4, routines: days })
    : undefined;
  const source = { routineId: routines[0], planId: plan };
  for (const workout of given.workouts) await perform(api, as, workout, source, choose);
  if (given.losses.includes("plan") && plan) await api.delete(`/api/v1/plans/${plan}`, { as });
  if (given.losses.includes("routine") && routines[0])
    await api.delete(`/api/v1/routines/${routines[0]}`, { as });
  if (given.losses.includes("exercise") && own[0])
    await api.delete(`/api/v1/exercises/${own[0]}`, { as });
}

async function perform(
  api: Api,
  as: string,
  { hour, timeZone, notes, fate, source, exercises }: Account["workouts"][number],
  { routineId, planId }: { routineId: string | undefined; planId: string | undefined },
  choose: (which: number) => string,
) {
  const startedAt = new Date(Date.UTC(2026, 0, 1) + hour * 3_600_000);
  const entries = exercises.map(({ which, sets }) => ({
    exerciseId: choose(which),
    mode: "reps",
    sets,
  }));
  const from = source === "free" || !routineId ? {} : { routineId };
  const planned = source === "plan" && planId && routineId ? { planId } : {};
  const made = await api.post("/api/v1/workouts", {
    as,
    body: { startedAt, timeZone, notes, exercises: entries, ...from, ...planned },
  });
  expectStatus(made, 201);
  const path = `/api/v1/workouts/${made.json.id}`;
  const body = { endedAt: startedAt };
  if (fate !== "begun")
    await api.post(`${path}/${fate === "aborted" ? "abort" : "finish"}`, { as, body });
  if (fate === "trashed") await api.delete(path, { as });
}
