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
  const weighted = sets.flatMap((one) =>
    kgOf(one) === undefined ? [] : [{ ...one, kg: kgOf(one) as number, reps: one.reps as number }],
  );
  const estimates = weighted.flatMap((one) =>
    one.kg > 0 ? [oneRepMax(formula, one.kg, one.reps, one)] : [],
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
      for (const one of sets.filter(counts)) {
        const key = `${PERIOD_OF[by](day)} ${muscle}`;
        const sum = sums.get(key) ?? { volumeKg: 0, hardSets: 0 };
        const volumeKg = sum.volumeKg + share * (kgOf(one) ?? 0) * (one.reps as number);
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

test("records and volume of random histories are those that are found by hand", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(workout, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...FORMULAS),
      (history, formula) =>
        withApi(async (api) => {
          const known = await makeTrainingFixtures(api);
          for (const done of history) await perform(api, known, done);
          const { json } = await api.get(
            `${PROGRESS}/exercises/${known.press}/records?formula=${formula}`,
            { as: known.as },
          );
          const byHand = recordsByHand(history, formula);
          const close = (found: number | undefined, expected: number | undefined) =>
            expected === undefined
              ? expect(found).toBeUndefined()
              : expect(found).toBeCloseTo(expected, 2);
          close(json.estimatedOneRepMax?.estimatedKg, byHand.estimatedKg);
          close(json.heaviest?.weightKg, byHand.heaviestKg);
          close(json.mostReps?.reps, byHand.mostReps);
          close(json.mostVolume?.volumeKg, byHand.volumeKg);
          expect(
            json.repsAtWeight.map((one: { weightKg: number; reps: number }) => [
              one.weightKg,
              one.reps,
            ]),
          ).toEqual(byHand.repsAtWeight);
          for (const by of ["day", "week", "month"] as const) {
            const [from, to] = ["2025-12-10", "2026-01-20"];
            const { json: found } = await api.get(
              `${PROGRESS}/volume?from=${from}&to=${to}&by=${by}`,
              {
                as: known.as,
              },
            );
            const expected = volumeByHand(history, by, from, to);
            expect(found).toHaveLength(expected.size);
            for (const { period, muscleGroup, volumeKg, hardSets } of found) {
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
  "there is a reason when nothing can be estimated",
  withApi(async (api) => {
    const known = await makeTrainingFixtures(api);
    const records = async () =>
      (await api.get(`${PROGRESS}/exercises/${known.press}/records`, { as: known.as })).json;
    expect(await records()).toEqual({
      formula: "epley",
      estimatedOneRepMax: null,
      estimateMissing: "no_sets",
      heaviest: null,
      mostReps: null,
      mostVolume: null,
      repsAtWeight: [],
    });
    const done = { startedAt: "2026-01-01T00:00:00Z", timeZone: "UTC", isAborted: false, curl: [] };
    await perform(api, known, {
      ...done,
      press: [{ type: "working", weight: 20, weightUnit: "kg", reps: 13 }],
    });
    expect(await records()).toMatchObject({
      estimatedOneRepMax: null,
      estimateMissing: "no_weighted_sets_of_1_to_12_reps",
      heaviest: { weightKg: 20, reps: 13 },
      mostVolume: { volumeKg: 260 },
    });
    await perform(api, known, {
      ...done,
      press: [{ type: "working", weight: 100, weightUnit: "lb", reps: 1 }],
    });
    expect(await records()).toMatchObject({
      estimatedOneRepMax: { estimatedKg: 45.359, reps: 1 },
      estimateMissing: null,
    });
  }),
);

test(
  "progress is one's own, without the trash, in one statement, and refuses days that are none",
  withApi(async (api) => {
    const known = await makeTrainingFixtures(api);
    const other = await makeSignedIn(api);
    const done = { startedAt: "2026-01-05T12:00:00Z", timeZone: "UTC", isAborted: false, curl: [] };
    await perform(api, known, {
      ...done,
      press: [{ type: "working", weight: 50, weightUnit: "kg", reps: 5 }],
    });
    const volume = `${PROGRESS}/volume?from=2026-01-01&to=2026-01-31`;
    const records = `${PROGRESS}/exercises/${known.press}/records`;
    expect((await api.get(volume, { as: known.as })).json[0]).toMatchObject({
      period: "2026-W02",
      volumeKg: 250,
      hardSets: 1,
    });
    expect((await api.get(volume, { as: other.as })).json).toEqual([]);
    expect((await api.get(records, { as: other.as })).json.mostReps).toBeNull();
    for (const path of [volume, records])
      expect(await statementsOf(() => api.get(path, { as: known.as }))).toHaveLength(1);
    const [workout] = (await api.get("/api/v1/workouts", { as: known.as })).json.items;
    await api.delete(`/api/v1/workouts/${workout.id}`, { as: known.as });
    expect((await api.get(volume, { as: known.as })).json).toEqual([]);
    expect((await api.get(records, { as: known.as })).json.mostReps).toBeNull();
    for (const query of [
      "from=2026-02-30&to=2026-03-01",
      "from=2026-13-01&to=2026-03-01",
      "from=2026-01-01",
      "from=2026-01-01&to=2026-01-02&by=year",
    ]) {
      expectProblem(
        await api.get(`${PROGRESS}/volume?${query}`, { as: known.as }),
        422,
        "invalid_request",
      );
    }
    expectProblem(
      await api.get(`${records}?formula=guess`, { as: known.as }),
      422,
      "invalid_request",
    );
  }),
);
