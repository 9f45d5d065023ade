import { expect, test } from "bun:test";
import fc from "fast-check";
import { expectProblem, withApi } from "#test/harness.ts";
import { makeSignedIn } from "#test/make.ts";
import { counts, type Done, isoWeek, kgOf, most, perform, workout, world } from "#test/training-by-hand.ts";
import { statementsOf } from "#test/transaction.ts";
import { FORMULAS, type Formula, oneRepMax } from "./one-rep-max.rules.ts";

const P = "/api/v1/progress";
const localDay = ({ startedAt, timeZone }: Done) => new Date(startedAt).toLocaleDateString("sv-SE", { timeZone });

function historyByHand(history: Done[], formula: Formula) {
  const shown = history.filter(({ isAborted }) => !isAborted);
  return shown
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
    .map((done) => {
      const sets = done.press.filter(counts);
      const estimates = sets.flatMap((set) => {
        const kg = kgOf(set) ?? 0;
        const estimated = kg > 0 ? oneRepMax(formula, kg, set.reps as number, set) : null;
        return estimated === null ? [] : [estimated];
      });
      return {
        day: localDay(done),
        reps: done.press.map(({ reps }) => reps ?? null),
        volumeKg: sets.reduce((sum, set) => sum + (kgOf(set) ?? 0) * (set.reps as number), 0),
        estimatedKg: most(estimates) ?? null,
      };
    });
}

test("the history of an exercise is that of its workouts, page by page, with figures as by hand", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(workout, { minLength: 1, maxLength: 6, selector: ({ startedAt }) => startedAt }),
      fc.constantFrom(...FORMULAS),
      (history, formula) =>
        withApi(async (api) => {
          const known = await world(api);
          for (const done of history) await perform(api, known, done);
          const expected = historyByHand(history, formula);
          const found: Record<string, unknown>[] = [];
          const path = `${P}/exercises/${known.press}/history?pageSize=2&formula=${formula}`;
          for (let cursor: string | null = ""; cursor !== null; ) {
            const { json } = await api.get(`${path}${cursor && `&cursor=${cursor}`}`, { as: known.as });
            found.push(...json.items);
            cursor = json.nextCursor;
          }
          expect(found).toHaveLength(expected.length);
          for (const [at, { day, reps, volumeKg, estimatedKg }] of expected.entries()) {
            const item = found[at] as { sets: { reps: number | null }[]; volumeKg: number; estimatedKg: number | null };
            expect(item).toMatchObject({ day, sets: reps.map((count) => ({ reps: count })) });
            expect(item.volumeKg).toBeCloseTo(volumeKg, 2);
            if (estimatedKg === null) expect(item).toMatchObject({ estimatedKg, estimateMissing: expect.any(String) });
            else expect(item.estimatedKg).toBeCloseTo(estimatedKg, 2);
          }
        })(),
    ),
    { numRuns: 20 },
  );
}, 60_000);

const DAY_MS = 86_400_000;
const dayBefore = (day: string) => new Date(Date.parse(day) - DAY_MS).toISOString().slice(0, 10);

/** Runs of steps that follow one another, by walking back from each that has none after it. */
function runsOf(steps: Set<string>, before: (step: string) => string) {
  const starts = [...steps].filter((step) => ![...steps].some((other) => before(other) === step));
  return starts.map((to) => {
    let [from, length] = [to, 1];
    for (let step = before(to); steps.has(step); step = before(step)) [from, length] = [step, length + 1];
    return { length, from, to };
  });
}

function streaksByHand(history: Done[], today: string, perWeek: number) {
  const days = new Set(history.filter(({ isAborted }) => !isAborted).map(localDay));
  const mondayOf = (day: string) => {
    const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
    return new Date(Date.parse(day) - weekday * DAY_MS).toISOString().slice(0, 10);
  };
  const weekBefore = (monday: string) => new Date(Date.parse(monday) - 7 * DAY_MS).toISOString().slice(0, 10);
  const mondays = [...days].map(mondayOf);
  const weeks = new Set(mondays.filter((monday) => mondays.filter((other) => other === monday).length >= perWeek));
  const choose = (runs: ReturnType<typeof runsOf>, least: string) => ({
    current: runs.filter(({ to }) => to >= least).sort((a, b) => b.to.localeCompare(a.to))[0] ?? null,
    longest: runs.sort((a, b) => b.length - a.length || b.to.localeCompare(a.to))[0] ?? null,
  });
  const asWeeks = (run: { length: number; from: string; to: string } | null) =>
    run && { length: run.length, from: isoWeek(run.from), to: isoWeek(run.to) };
  const byWeek = choose(runsOf(weeks, weekBefore), weekBefore(mondayOf(today)));
  return {
    dayCount: days.size,
    days: choose(runsOf(days, dayBefore), dayBefore(today)),
    weeks: { current: asWeeks(byWeek.current), longest: asWeeks(byWeek.longest) },
  };
}

test("streaks are those that are found by hand, over new years and in zones far apart", async () => {
  const now = Date.UTC(2026, 0, 14, 20);
  await fc.assert(
    fc.asyncProperty(
      fc.array(workout, { maxLength: 14 }),
      fc.constantFrom("UTC", "Pacific/Auckland", "America/Los_Angeles"),
      fc.integer({ min: 1, max: 3 }),
      (history, timeZone, perWeek) =>
        withApi(
          async (api) => {
            const known = await world(api);
            // Drawn from two months: brought together, so that some follow one another.
            const dense = history.map((done) => ({
              ...done,
              startedAt: new Date(now - ((now - Date.parse(done.startedAt)) % (12 * DAY_MS))).toISOString(),
              press: [],
              curl: [],
            }));
            for (const done of dense) await perform(api, known, done);
            const today = new Date(now).toLocaleDateString("sv-SE", { timeZone });
            const { json } = await api.get(`${P}/streaks?timeZone=${timeZone}&perWeek=${perWeek}`, { as: known.as });
            expect(json).toMatchObject({ timeZone, ...streaksByHand(dense, today, perWeek) });
            expect(json.workoutCount).toBe(dense.filter(({ isAborted }) => !isAborted).length);
          },
          { nowMs: () => now },
        )(),
    ),
    { numRuns: 30 },
  );
}, 60_000);

test(
  "history and streaks are one's own, take one statement each, and are empty for who has not trained",
  withApi(async (api) => {
    const known = await world(api);
    const other = await makeSignedIn(api);
    const done = { timeZone: "UTC", isAborted: false, press: [{ type: "working", reps: 5 }], curl: [] };
    await perform(api, known, { ...done, startedAt: "2026-01-05T12:00:00Z" });
    const history = `${P}/exercises/${known.press}/history`;
    expect((await api.get(history, { as: known.as })).json.items).toHaveLength(1);
    expect((await api.get(history, { as: other.as })).json).toEqual({ items: [], nextCursor: null });
    expect((await api.get(`${P}/streaks`, { as: other.as })).json).toEqual({
      timeZone: "UTC",
      workoutCount: 0,
      dayCount: 0,
      days: { current: null, longest: null },
      weeks: { current: null, longest: null },
    });
    for (const path of [history, `${P}/streaks`]) {
      expect(await statementsOf(() => api.get(path, { as: known.as }))).toHaveLength(1);
    }
    for (const path of [
      `${history}?cursor=x`,
      `${history}?formula=guess`,
      `${P}/streaks?perWeek=8`,
      `${P}/streaks?timeZone=Mars`,
    ]) {
      expectProblem(await api.get(path, { as: known.as }), 422, "invalid_request");
    }
  }),
);
