import { expect, test } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, withApi } from "#test/harness.ts";
import { PROGRESS } from "#test/paths.ts";
import { isoWeek, localDay } from "#test/random-training.ts";
import { statementsOf } from "#test/transaction.ts";

const STREAKS = `${PROGRESS}/streaks`;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ZONES = ["UTC", "Pacific/Auckland", "America/Los_Angeles"] as const;

type Trained = { startedAtMs: number; timeZone: string; status: string; isDeleted: boolean };
type Run = { length: number; from: string; to: string };

/**
 * Instants at which it is another year, or week, elsewhere: 2020 has a week 53, and 2024-12-30 is
 * of 2025-W01.
 */
const now = fc.constantFrom(
  ...["2021-01-03T21:00Z", "2024-12-30T03:00Z", "2026-01-01T09:30Z", "2026-03-29T12:00Z"],
);
/**
 * Dense enough that some days and weeks follow one another, and up to two days ahead of the clock.
 */
const history = fc.array(
  fc.record({
    hoursAgo: fc.integer({ min: -48, max: 24 * 24 }),
    timeZone: fc.constantFrom(...ZONES),
    status: fc.constantFrom("completed", "completed", "completed", "in_progress", "aborted"),
    isDeleted: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 30 },
);

async function train(api: Api, userId: string, workouts: Trained[]) {
  for (const { startedAtMs, timeZone, status, isDeleted } of workouts) {
    const startedAt = new Date(startedAtMs).toISOString();
    await api.deps.db.sql`
      insert into workouts (user_id, status, started_at, ended_at, time_zone, deleted_at) values (${userId}, ${status},
        ${startedAt}, ${status === "in_progress" ? null : startedAt}, ${timeZone}, ${isDeleted ? startedAt : null})`;
  }
}

const plusDays = (day: string, days: number) =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
const mondayOf = (day: string) => plusDays(day, -((new Date(day).getUTCDay() + 6) % 7));

/**
 * What follows one another in steps of some days, found by walking on from each that has none
 * before it.
 */
function runsOf(steps: Set<string>, days: number): Run[] {
  const starts = [...steps].filter((step) => !steps.has(plusDays(step, -days)));
  return starts.map((from) => {
    let [to, length] = [from, 1];
    while (steps.has(plusDays(to, days))) [to, length] = [plusDays(to, days), length + 1];
    return { length, from, to };
  });
}

function streaksByHand(trained: Trained[], today: string, perWeek: number) {
  const shown = trained.filter(({ status, isDeleted }) => status !== "aborted" && !isDeleted);
  const days = new Set(shown.map(({ startedAtMs, timeZone }) => localDay(startedAtMs, timeZone)));
  const mondays = [...days].map(mondayOf);
  const weeks = new Set(
    mondays.filter((monday) => mondays.filter((other) => other === monday).length >= perWeek),
  );
  const choose = (runs: Run[], leastTo: string, show = (step: string) => step) => {
    const shownAs = (run: Run | undefined) =>
      run ? { ...run, from: show(run.from), to: show(run.to) } : null;
    const current = runs.filter(({ from, to }) => to >= leastTo && from <= plusDays(today, 1));
    return {
      current: shownAs(current.sort((a, b) => a.from.localeCompare(b.from))[0]),
      longest: shownAs(runs.sort((a, b) => b.length - a.length || b.to.localeCompare(a.to))[0]),
    };
  };
  return {
    workoutCount: shown.length,
    dayCount: days.size,
    days: choose(runsOf(days, 1), plusDays(today, -1)),
    weeks: choose(runsOf(weeks, 7), plusDays(mondayOf(today), -7), isoWeek),
  };
}

test("streaks are those that are found by hand, over new years and in zones far apart", async () => {
  await fc.assert(
    fc.asyncProperty(
      now,
      history,
      fc.constantFrom(...ZONES, undefined),
      fc.integer({ min: 1, max: 7 }),
      async (instant, drawn, timeZone, perWeek) => {
        const nowMs = Date.parse(instant);
        // Each by a second apart, so that one is the latest.
        const trained = drawn.map(({ hoursAgo, ...rest }, at) => ({
          ...rest,
          startedAtMs: nowMs - hoursAgo * HOUR_MS + at * 1000,
        }));
        const known = trained.filter(({ status, isDeleted }) => status !== "aborted" && !isDeleted);
        const latest = known.sort((a, b) => b.startedAtMs - a.startedAtMs)[0];
        const place = timeZone ?? latest?.timeZone ?? "UTC";
        const work = async (api: Api) => {
          const { as, user } = await makeSignedIn(api);
          await train(api, user.id, trained);
          const asked = `${STREAKS}?perWeek=${perWeek}${timeZone ? `&timeZone=${timeZone}` : ""}`;
          const byHand = streaksByHand(trained, localDay(nowMs, place), perWeek);
          expect((await api.get(asked, { as })).json).toEqual({ timeZone: place, ...byHand });
        };
        await withApi(work, { nowMs: () => nowMs })();
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);

/** Streaks at `instant` of who trained at each of the others. */
async function streaksAt(
  instant: string,
  days: string[],
): Promise<{ days: unknown; weeks: unknown }> {
  let found = { days: null, weeks: null };
  const work = async (api: Api) => {
    const { as, user } = await makeSignedIn(api);
    const done = { timeZone: "UTC", status: "completed", isDeleted: false };
    const trained = days.map((day) => ({ ...done, startedAtMs: Date.parse(`${day}T12:00Z`) }));
    await train(api, user.id, trained);
    found = (await api.get(STREAKS, { as })).json;
  };
  await withApi(work, { nowMs: () => Date.parse(instant) })();
  return found;
}

test("weeks follow one another over a new year, which begins in the last of 53", async () => {
  const { days, weeks } = await streaksAt("2021-01-05T00:00Z", [
    "2020-12-27",
    "2020-12-28",
    "2021-01-04",
  ]);
  const streak = { length: 3, from: "2020-W52", to: "2021-W01" };
  expect(weeks).toEqual({ current: streak, longest: streak });
  expect(days).toEqual({
    current: { length: 1, from: "2021-01-04", to: "2021-01-04" },
    longest: { length: 2, from: "2020-12-27", to: "2020-12-28" },
  });
});

test("a streak goes on for as long as the day after it, or the week after it, is not over", async () => {
  const day = { length: 1, from: "2026-01-05", to: "2026-01-05" };
  const week = { length: 1, from: "2026-W02", to: "2026-W02" };
  const at = (instant: string) => streaksAt(instant, ["2026-01-05"]);
  expect(await at("2026-01-06T23:59:59Z")).toMatchObject({
    days: { current: day },
    weeks: { current: week },
  });
  expect(await at("2026-01-07T00:00:00Z")).toMatchObject({ days: { current: null, longest: day } });
  expect(await at("2026-01-18T23:59:59Z")).toMatchObject({ weeks: { current: week } });
  expect(await at("2026-01-19T00:00:00Z")).toMatchObject({
    weeks: { current: null, longest: week },
  });
});

test("a workout that a wrong clock puts far ahead takes no current streak's place", async () => {
  const current = { length: 2, from: "2026-01-05", to: "2026-01-06" };
  const { days, weeks } = await streaksAt("2026-01-06T20:00Z", [
    "2026-01-05",
    "2026-01-06",
    "2031-01-06",
  ]);
  expect(days).toMatchObject({ current });
  expect(weeks).toMatchObject({ current: { length: 1, from: "2026-W02", to: "2026-W02" } });
  expect(await streaksAt("2026-01-06T20:00Z", ["2031-01-06"])).toMatchObject({
    days: { current: null },
  });
});

test(
  "streaks are one's own, take one statement, and are empty for who has not trained",
  withApi(async (api) => {
    const [known, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    const done = {
      startedAtMs: Date.now(),
      timeZone: "Asia/Tokyo",
      status: "completed",
      isDeleted: false,
    };
    await train(api, known.user.id, [done]);
    expect((await api.get(STREAKS, { as: known.as })).json).toMatchObject({
      timeZone: "Asia/Tokyo",
      workoutCount: 1,
    });
    expect(await statementsOf(() => api.get(STREAKS, { as: known.as }))).toHaveLength(1);
    expect((await api.get(STREAKS, { as: other.as })).json).toEqual({
      timeZone: "UTC",
      workoutCount: 0,
      dayCount: 0,
      days: { current: null, longest: null },
      weeks: { current: null, longest: null },
    });
    for (const query of [
      "perWeek=0",
      "perWeek=8",
      "timeZone=Mars",
      "timeZone=%2B05:00",
      "timeZone=US/Pacific-New",
    ]) {
      expectProblem(await api.get(`${STREAKS}?${query}`, { as: known.as }), 422, "invalid_request");
    }
  }),
);
