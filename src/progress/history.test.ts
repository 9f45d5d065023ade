import { expect, test } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { PROGRESS } from "#test/paths.ts";
import {
  counts,
  kgOf,
  localDay,
  makeTrainingFixtures,
  most,
  perform,
  type RandomWorkout,
  workout,
} from "#test/random-training.ts";
import { statementsOf } from "#test/transaction.ts";
import { FORMULAS, type Formula, oneRepMax } from "./one-rep-max.rules.ts";

function historyByHand(history: RandomWorkout[], formula: Formula) {
  return history
    .filter(({ isAborted }) => !isAborted)
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
    .map(({ startedAt, timeZone, press }) => {
      const sets = press.filter(counts);
      const estimates = sets.flatMap((set) => {
        const kg = kgOf(set) ?? 0;
        const estimated = kg > 0 ? oneRepMax(formula, kg, set.reps as number, set) : null;
        return estimated === null ? [] : [estimated];
      });
      return {
        day: localDay(startedAt, timeZone),
        reps: press.map(({ reps }) => reps ?? null),
        volumeKg: sets.reduce((sum, set) => sum + (kgOf(set) ?? 0) * (set.reps as number), 0),
        estimatedKg: most(estimates) ?? null,
      };
    });
}

test("the paged history of an exercise equals one that is computed by hand from random workouts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(workout, {
        minLength: 1,
        maxLength: 6,
        selector: ({ startedAt }) => startedAt,
      }),
      fc.constantFrom(...FORMULAS),
      (history, formula) =>
        withApi(async (api) => {
          const fixtures = await makeTrainingFixtures(api);
          for (const random of history) await perform(api, fixtures, random);
          const expected = historyByHand(history, formula);
          const items: Record<string, unknown>[] = [];
          const path = `${PROGRESS}/exercises/${fixtures.press}/history?pageSize=2&formula=${formula}`;
          for (let cursor: string | null = ""; cursor !== null; ) {
            const { json } = await api.get(`${path}${cursor && `&cursor=${cursor}`}`, {
              as: fixtures.as,
            });
            items.push(...json.items);
            cursor = json.nextCursor;
          }
          expect(items).toHaveLength(expected.length);
          for (const [index, { day, reps, volumeKg, estimatedKg }] of expected.entries()) {
            const item = items[index] as {
              sets: { reps: number | null }[];
              volumeKg: number;
              estimatedKg: number | null;
            };
            expect(item).toMatchObject({ day, sets: reps.map((count) => ({ reps: count })) });
            expect(item.volumeKg).toBeCloseTo(volumeKg, 2);
            if (estimatedKg === null)
              expect(item).toMatchObject({ estimatedKg, estimateMissing: expect.any(String) });
            else expect(item.estimatedKg).toBeCloseTo(estimatedKg, 2);
          }
        })(),
    ),
    { numRuns: 20 },
  );
}, 60_000);

test(
  "a history has only the user's own workouts, takes one statement, and may be empty",
  withApi(async (api) => {
    const fixtures = await makeTrainingFixtures(api);
    const other = await makeSignedIn(api);
    const base = {
      timeZone: "UTC",
      isAborted: false,
      press: [{ type: "working", reps: 5 }],
      curl: [],
    };
    await perform(api, fixtures, { ...base, startedAt: "2026-01-05T12:00:00Z" });
    const history = `${PROGRESS}/exercises/${fixtures.press}/history`;
    expect((await api.get(history, { as: fixtures.as })).json.items).toHaveLength(1);
    expect((await api.get(history, { as: other.as })).json).toEqual({
      items: [],
      nextCursor: null,
    });
    expect(await statementsOf(() => api.get(history, { as: fixtures.as }))).toHaveLength(1);
    const [performed] = (await api.get("/api/v1/workouts", { as: fixtures.as })).json.items;
    await api.delete(`/api/v1/workouts/${performed.id}`, { as: fixtures.as });
    expect((await api.get(history, { as: fixtures.as })).json.items).toEqual([]);
    for (const query of ["cursor=x", "formula=guess", "pageSize=0", "pageSize=101"]) {
      expectProblem(
        await api.get(`${history}?${query}`, { as: fixtures.as }),
        422,
        "invalid_request",
      );
    }
  }),
);

test(
  "a cursor with an invalid time is rejected",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const id = "01a209f2-f7f5-7524-94bc-8035f4f8979b";
    for (const day of ["2026-02-30", "2026-13-01", "0000-01-01", "9999-12-31"]) {
      const cursor = Buffer.from(`${day}T00:00:00.000000Z ${id}`).toString("base64url");
      for (const path of [`${PROGRESS}/exercises/${id}/history`, "/api/v1/workouts"]) {
        expectProblem(await api.get(`${path}?cursor=${cursor}`, { as }), 422, "invalid_request");
      }
    }
  }),
);

test(
  "workouts with the same start have a stable order on pages of any size",
  withApi(async (api) => {
    const fixtures = await makeTrainingFixtures(api);
    const base = { timeZone: "UTC", isAborted: false, press: [], curl: [] };
    for (let count = 0; count < 5; count++)
      await perform(api, fixtures, { ...base, startedAt: "2026-01-05T12:00:00Z" });
    const path = `${PROGRESS}/exercises/${fixtures.press}/history`;
    const { json: history } = await api.get(path, { as: fixtures.as });
    const ids = history.items.map(({ workoutId }: { workoutId: string }) => workoutId);
    expect(ids).toEqual([...ids].sort().reverse());
    const items: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { json } = await api.get(`${path}?pageSize=1${cursor && `&cursor=${cursor}`}`, {
        as: fixtures.as,
      });
      items.push(...json.items.map(({ workoutId }: { workoutId: string }) => workoutId));
      cursor = json.nextCursor;
    }
    expect(items).toEqual(ids);
  }),
);

test(
  "an exercise that occurs twice in a workout is one entry with the sets in order",
  withApi(async (api) => {
    const { as, press, curl } = await makeTrainingFixtures(api);
    const sets = (...reps: number[]) =>
      reps.map((count) => ({ weight: 10, weightUnit: "kg", reps: count }));
    const exercises = [
      { exerciseId: press, mode: "reps", sets: sets(5, 4) },
      { exerciseId: curl, mode: "reps", sets: sets(9) },
      { exerciseId: press, mode: "reps", sets: sets(3, 8) },
    ];
    expectStatus(
      await api.post("/api/v1/workouts", { as, body: { timeZone: "UTC", exercises } }),
      201,
    );
    const { json } = await api.get(`${PROGRESS}/exercises/${press}/history`, { as });
    expect(json.items).toHaveLength(1);
    expect(json.items[0].sets.map(({ reps }: { reps: number }) => reps)).toEqual([5, 4, 3, 8]);
    expect(json.items[0]).toMatchObject({
      volumeKg: 200,
      estimatedKg: 12.667,
      estimateMissing: null,
    });
  }),
);

test.each([
  ["time", [{ timeS: 60 }], "no_sets"],
  ["reps", [], "no_sets"],
  ["reps", [{ type: "warmup", weight: 10, weightUnit: "kg", reps: 5, rpe: 8 }], "no_sets"],
  ["reps", [{ reps: 5, rpe: 8 }], "no_weighted_sets_of_1_to_12_reps"],
  [
    "reps",
    [{ weight: 10, weightUnit: "kg", reps: 13, rpe: 8 }],
    "no_weighted_sets_of_1_to_12_reps",
  ],
  ["reps", [{ weight: 10, weightUnit: "kg", reps: 5 }], "no_sets_with_rpe"],
  ["reps", [{ weight: 10, weightUnit: "kg", reps: 5, rpe: 5.5, rir: 2 }], "no_sets_with_rpe"],
  ["reps", [{ weight: 10, weightUnit: "kg", reps: 5, rir: 5 }], "no_sets_with_rpe"],
  ["reps", [{ weight: 10, weightUnit: "kg", reps: 5, rir: 4 }], null],
])(
  "in mode %s with the sets %j the reason for no estimate by the RPE table is %s",
  async (mode, sets, reason) => {
    await withApi(async (api) => {
      const { as, press } = await makeTrainingFixtures(api);
      const exercises = [{ exerciseId: press, mode, sets }];
      expectStatus(
        await api.post("/api/v1/workouts", { as, body: { timeZone: "UTC", exercises } }),
        201,
      );
      const path = `${PROGRESS}/exercises/${press}`;
      const [entry] = (await api.get(`${path}/history?formula=rpe_table`, { as })).json.items;
      expect(entry.estimateMissing).toBe(reason);
      expect(
        (await api.get(`${path}/records?formula=rpe_table`, { as })).json.estimateMissing,
      ).toBe(reason);
    })();
  },
);
