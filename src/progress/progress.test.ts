import { expect, test } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, withApi } from "#test/harness.ts";
import { PROGRESS } from "#test/paths.ts";
import {
  counts,
  isoWeek,
  kgOf,
  makeTrainingFixtures,
  most,
  type PerformedSet,
  perform,
  type RandomWorkout,
  workout,
} from "#test/random-training.ts";
import { statementsOf } from "#test/transaction.ts";
import { FORMULAS, type Formula, oneRepMax } from "./one-rep-max.rules.ts";

function recordsByHand(history: RandomWorkout[], formula: Formula) {
  const sets = history
    .filter(({ isAborted }) => !isAborted)
    .flatMap(({ press }) => press.filter(counts));
  const weighted = sets.flatMap((set) =>
    kgOf(set) === undefined ? [] : [{ ...set, kg: kgOf(set) as number, reps: set.reps as number }],
  );
  const estimates = weighted.flatMap((set) =>
    set.kg > 0 ? [oneRepMax(formula, set.kg, set.reps, set)] : [],
  );
  const perWeight = new Map<number, number>();
  for (const { kg, reps } of weighted) perWeight.set(kg, Math.max(perWeight.get(kg) ?? 0, reps));
  return {
    estimatedKg: most(estimates.filter((estimate) => estimate !== null)),
    heaviestKg: most(weighted.map(({ kg }) => kg)),
    mostReps: most(sets.map(({ reps }) => reps as number)),
    volumeKg: most(weighted.map(({ kg, reps }) => kg * reps)),
    repsAtWeight: [...perWeight].sort(([a], [b]) => b - a),
  };
}

const PERIOD_OF = {
  day: (day: string) => day,
  week: isoWeek,
  month: (day: string) => day.slice(0, 7),
};

function volumeByHand(
  history: RandomWorkout[],
  by: keyof typeof PERIOD_OF,
  from: string,
  to: string,
) {
  const sums = new Map<string, { volumeKg: number; hardSets: number }>();
  for (const { startedAt, timeZone, isAborted, press, curl } of history) {
    const day = new Date(startedAt).toLocaleDateString("sv-SE", { timeZone });
    if (isAborted || day < from || day > to) continue;
    const add = (muscle: string, sets: PerformedSet[], share: number) => {
      for (const set of sets.filter(counts)) {
        const key = `${PERIOD_OF[by](day)} ${muscle}`;
        const sum = sums.get(key) ?? { volumeKg: 0, hardSets: 0 };
        const volumeKg = sum.volumeKg + share * (kgOf(set) ?? 0) * (set.reps as number);
        sums.set(key, { volumeKg, hardSets: sum.hardSets + share });
      }
    };
    for (const muscle of ["chest", "triceps"]) add(muscle, press, 1);
    add("shoulders", press, 0.5);
    add("biceps", curl, 1);
    add("chest", curl, 0.5);
  }
  return sums;
}

test("records and volume of random histories equal those computed by hand", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(workout, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...FORMULAS),
      (history, formula) =>
        withApi(async (api) => {
          const fixtures = await makeTrainingFixtures(api);
          for (const random of history) await perform(api, fixtures, random);
          const { json } = await api.get(
            `${PROGRESS}/exercises/${fixtures.press}/records?formula=${formula}`,
            { as: fixtures.as },
          );
          const byHand = recordsByHand(history, formula);
          const expectClose = (actual: number | undefined, expected: number | undefined) =>
            expected === undefined
              ? expect(actual).toBeUndefined()
              : expect(actual).toBeCloseTo(expected, 2);
          expectClose(json.estimatedOneRepMax?.estimatedKg, byHand.estimatedKg);
          expectClose(json.heaviest?.weightKg, byHand.heaviestKg);
          expectClose(json.mostReps?.reps, byHand.mostReps);
          expectClose(json.mostVolume?.volumeKg, byHand.volumeKg);
          expect(
            json.repsAtWeight.map((set: { weightKg: number; reps: number }) => [
              set.weightKg,
              set.reps,
            ]),
          ).toEqual(byHand.repsAtWeight);
          for (const by of ["day", "week", "month"] as const) {
            const [from, to] = ["2025-12-10", "2026-01-20"];
            const path = `${PROGRESS}/volume?from=${from}&to=${to}&by=${by}`;
            const { json: volume } = await api.get(path, { as: fixtures.as });
            const expected = volumeByHand(history, by, from, to);
            expect(volume).toHaveLength(expected.size);
            for (const { period, muscleGroup, volumeKg, hardSets } of volume) {
              const sum = expected.get(`${period} ${muscleGroup.name}`);
              expect(hardSets).toBe(sum?.hardSets);
              expect(volumeKg).toBeCloseTo(sum?.volumeKg ?? Number.NaN, 2);
            }
          }
        })(),
    ),
    { numRuns: 30 },
  );
}, 60_000);

test(
  "records give the reason if there is no estimate",
  withApi(async (api) => {
    const fixtures = await makeTrainingFixtures(api);
    const records = async () =>
      (await api.get(`${PROGRESS}/exercises/${fixtures.press}/records`, { as: fixtures.as })).json;
    expect(await records()).toEqual({
      formula: "epley",
      estimatedOneRepMax: null,
      estimateMissing: "no_sets",
      heaviest: null,
      mostReps: null,
      mostVolume: null,
      repsAtWeight: [],
    });
    const base = { startedAt: "2026-01-01T00:00:00Z", timeZone: "UTC", isAborted: false, curl: [] };
    await perform(api, fixtures, {
      ...base,
      press: [{ type: "working", weight: 20, weightUnit: "kg", reps: 13 }],
    });
    expect(await records()).toMatchObject({
      estimatedOneRepMax: null,
      estimateMissing: "no_weighted_sets_of_1_to_12_reps",
      heaviest: { weightKg: 20, reps: 13 },
      mostVolume: { volumeKg: 260 },
    });
    await perform(api, fixtures, {
      ...base,
      press: [{ type: "working", weight: 100, weightUnit: "lb", reps: 1 }],
    });
    expect(await records()).toMatchObject({
      estimatedOneRepMax: { estimatedKg: 45.359, reps: 1 },
      estimateMissing: null,
    });
  }),
);

test(
  "progress has only the user's own workouts without the trash, takes one statement, and rejects invalid days",
  withApi(async (api) => {
    const fixtures = await makeTrainingFixtures(api);
    const other = await makeSignedIn(api);
    const base = { startedAt: "2026-01-05T12:00:00Z", timeZone: "UTC", isAborted: false, curl: [] };
    await perform(api, fixtures, {
      ...base,
      press: [{ type: "working", weight: 50, weightUnit: "kg", reps: 5 }],
    });
    const volume = `${PROGRESS}/volume?from=2026-01-01&to=2026-01-31`;
    const records = `${PROGRESS}/exercises/${fixtures.press}/records`;
    expect((await api.get(volume, { as: fixtures.as })).json[0]).toMatchObject({
      period: "2026-W02",
      volumeKg: 250,
      hardSets: 1,
    });
    expect((await api.get(volume, { as: other.as })).json).toEqual([]);
    expect((await api.get(records, { as: other.as })).json.mostReps).toBeNull();
    for (const path of [volume, records])
      expect(await statementsOf(() => api.get(path, { as: fixtures.as }))).toHaveLength(1);
    const [workout] = (await api.get("/api/v1/workouts", { as: fixtures.as })).json.items;
    await api.delete(`/api/v1/workouts/${workout.id}`, { as: fixtures.as });
    expect((await api.get(volume, { as: fixtures.as })).json).toEqual([]);
    expect((await api.get(records, { as: fixtures.as })).json.mostReps).toBeNull();
    for (const query of [
      "from=2026-02-30&to=2026-03-01",
      "from=2026-13-01&to=2026-03-01",
      "from=2026-01-01",
      "from=2026-01-01&to=2026-01-02&by=year",
    ]) {
      expectProblem(
        await api.get(`${PROGRESS}/volume?${query}`, { as: fixtures.as }),
        422,
        "invalid_request",
      );
    }
    expectProblem(
      await api.get(`${records}?formula=guess`, { as: fixtures.as }),
      422,
      "invalid_request",
    );
  }),
);
