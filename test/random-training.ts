import fc from "fast-check";
import { makeExercise, makeSignedIn } from "./fixtures.ts";
import { type Api, expectStatus } from "./harness.ts";

const LB_IN_KG = 0.45359237;

export type PerformedSet = {
  type: string;
  weight?: number;
  weightUnit?: string;
  reps?: number;
  rpe?: number;
  rir?: number;
};
export type RandomWorkout = {
  startedAt: string;
  timeZone: string;
  isAborted: boolean;
  press: PerformedSet[];
  curl: PerformedSet[];
};

const set: fc.Arbitrary<PerformedSet> = fc
  .record({
    type: fc.constantFrom("working", "working", "warmup", "failure"),
    weight: fc.option(
      fc.integer({ min: 0, max: 300 }).map((half) => half / 2),
      { nil: undefined, freq: 5 },
    ),
    weightUnit: fc.constantFrom("kg", "lb"),
    reps: fc.option(fc.integer({ min: 0, max: 15 }), { nil: undefined, freq: 5 }),
    rpe: fc.option(
      fc.integer({ min: 8, max: 20 }).map((half) => half / 2),
      { nil: undefined, freq: 2 },
    ),
    rir: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined, freq: 2 }),
  })
  .map(({ type, weight, weightUnit, reps, rpe, rir }) => ({
    type,
    ...(weight === undefined ? {} : { weight, weightUnit }),
    ...(reps === undefined ? {} : { reps }),
    ...(rpe === undefined ? {} : { rpe }),
    ...(rir === undefined ? {} : { rir }),
  }));

/** Workouts around a new year and the ends of weeks and months, on different days per time zone. */
export const workout: fc.Arbitrary<RandomWorkout> = fc.record({
  startedAt: fc
    .integer({ min: 0, max: 60 * 24 })
    .map((hours) => new Date(Date.UTC(2025, 11, 1) + hours * 3_600_000).toISOString()),
  timeZone: fc.constantFrom("UTC", "Pacific/Auckland", "America/Los_Angeles"),
  isAborted: fc.boolean(),
  press: fc.array(set, { maxLength: 4 }),
  curl: fc.array(set, { maxLength: 3 }),
});

/** Creates a user and two exercises that share a muscle, primary in one and secondary in the other. */
export async function makeTrainingFixtures(api: Api) {
  const { as } = await makeSignedIn(api);
  const press = await makeExercise(api, {
    name: "Zq Press",
    primary: ["chest", "triceps"],
    secondary: ["shoulders"],
  });
  const curl = await makeExercise(api, {
    name: "Zq Curl",
    primary: ["biceps"],
    secondary: ["chest"],
  });
  return { as, press, curl };
}

export async function perform(
  api: Api,
  { as, press, curl }: Awaited<ReturnType<typeof makeTrainingFixtures>>,
  done: RandomWorkout,
) {
  const exercises = [
    { exerciseId: press, mode: "reps", sets: done.press },
    { exerciseId: curl, mode: "reps", sets: done.curl },
  ];
  const { startedAt, timeZone } = done;
  const answer = await api.post("/api/v1/workouts", {
    as,
    body: { startedAt, timeZone, exercises },
  });
  expectStatus(answer, 201);
  const verb = done.isAborted ? "abort" : "finish";
  expectStatus(
    await api.post(`/api/v1/workouts/${answer.json.id}/${verb}`, {
      as,
      body: { endedAt: startedAt },
    }),
    200,
  );
}

export const kgOf = ({ weight, weightUnit }: PerformedSet) =>
  weight === undefined
    ? undefined
    : Math.round((weightUnit === "lb" ? weight * LB_IN_KG : weight) * 10_000) / 10_000;
export const counts = ({ type, reps }: PerformedSet) => type !== "warmup" && (reps ?? 0) > 0;
export const most = (values: number[]) => (values.length === 0 ? undefined : Math.max(...values));

/** The local day of an instant in a time zone. */
export const localDay = (instant: string | number, timeZone: string) =>
  new Date(instant).toLocaleDateString("sv-SE", { timeZone });

/** The ISO 8601 week of a day, which is that of its Thursday. */
export function isoWeek(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const year = date.getUTCFullYear();
  const week = Math.ceil(((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7);
  return `${year}-W${String(week).padStart(2, "0")}`;
}
