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

type TrainedWorkout = { startedAtMs: number; timeZone: string; status: string; isDeleted: boolean };
type Streak = { length: number; from: string; to: string };

/**
 * Instants at which the year or week differs by time zone: 2020 has a week 53, and 2024-12-30 is in
 * 2025-W01.
 */
const now = fc.constantFrom(
  ...["2021-01-03T21:00Z", "2024-12-30T03:00Z", "2026-01-01T09:30Z", "2026-03-29T12:00Z"],
);
/** Dense enough for some consecutive days and weeks, and up to two days ahead of the clock. */
const history = fc.array(
  fc.record({
    hoursAgo: fc.integer({ min: -48, max: 24 * 24 }),
    timeZone: fc.constantFrom(...ZONES),
    status: fc.constantFrom("completed", "completed", "completed", "in_progress", "aborted"),
    isDeleted: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 30 },
);

async function train(api: Api, userId: string, workouts: TrainedWorkout[]) {
  for (const { startedAtMs, timeZone, status, isDeleted } of workouts) {
    const startedAt = new Date(startedAtMs).toISOString();
    await api.deps.db.sql`
      insert into workouts (user_id, status, started_at, ended_at, time_zone, deleted_at)
      values (${userId}, ${status}, ${startedAt}, ${status === "in_progress" ? null : startedAt},
        ${timeZone}, ${isDeleted ? startedAt : null})`;
  }
}

const plusDays = (day: string, days: number) =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
const mondayOf = (day: string) => plusDays(day, -((new Date(day).getUTCDay() + 6) % 7));

/**
 * The streaks in `dates` whose members are `days` apart: walks on from each date without a
 * predecessor.
 */
function streaksOf(dates: Set<string>, days: number): Streak[] {
  const starts = [...dates].filter((date) => !dates.has(plusDays(date, -days)));
  return starts.map((from) => {
    let [to, length] = [from, 1];
    while (dates.has(plusDays(to, days))) [to, length] = [plusDays(to, days), length + 1];
    return { length, from, to };
  });
}

function streaksByHand(trained: TrainedWorkout[], today: string, perWeek: number) {
  const counted = trained.filter(({ status, isDeleted }) => status !== "aborted" && !isDeleted);
  const days = new Set(counted.map(({ startedAtMs, timeZone }) => localDay(startedAtMs, timeZone)));
  const mondays = [...days].map(mondayOf);
  const weeks = new Set(
    mondays.filter((monday) => mondays.filter((other) => other === monday).length >= perWeek),
  );
  const choose = (streaks: Streak[], minTo: string, format = (date: string) => date) => {
    const formatted = (streak: Streak | undefined) =>
      streak ? { ...streak, from: format(streak.from), to: format(streak.to) } : null;
    const current = streaks.filter(({ from, to }) => to >= minTo && from <= plusDays(today, 1));
    return {
      current: formatted(current.sort((a, b) => a.from.localeCompare(b.from))[0]),
      longest: formatted(
        streaks.sort((a, b) => b.length - a.length || b.to.localeCompare(a.to))[0],
      ),
    };
  };
  return {
    workoutCount: counted.length,
    dayCount: days.size,
    days: choose(streaksOf(days, 1), plusDays(today, -1)),
    weeks: choose(streaksOf(weeks, 7), plusDays(mondayOf(today), -7), isoWeek),
  };
}

test("streaks equal those computed by hand, across new years and distant time zones", async () => {
  await fc.assert(
    fc.asyncProperty(
      now,
      history,
      fc.constantFrom(...ZONES, undefined),
      fc.integer({ min: 1, max: 7 }),
      async (instant, random, timeZone, perWeek) => {
        const nowMs = Date.parse(instant);
        // One second apart, so that one is the latest.
        const trained = random.map(({ hoursAgo, ...workout }, index) => ({
          ...workout,
          startedAtMs: nowMs - hoursAgo * HOUR_MS + index * 1000,
        }));
        const counted = trained.filter(
          ({ status, isDeleted }) => status !== "aborted" && !isDeleted,
        );
        const latest = counted.sort((a, b) => b.startedAtMs - a.startedAtMs)[0];
        const zone = timeZone ?? latest?.timeZone ?? "UTC";
        const work = async (api: Api) => {
          const { as, user } = await makeSignedIn(api);
          await train(api, user.id, trained);
          const path = `${STREAKS}?perWeek=${perWeek}${timeZone ? `&timeZone=${timeZone}` : ""}`;
          const byHand = streaksByHand(trained, localDay(nowMs, zone), perWeek);
          expect((await api.get(path, { as })).json).toEqual({ timeZone: zone, ...byHand });
        };
        await withApi(work, { nowMs: () => nowMs })();
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);

/** The streaks at `instant` of a user who trained on each of `days`. */
async function streaksAt(
  instant: string,
  days: string[],
): Promise<{ days: unknown; weeks: unknown }> {
  let streaks = { days: null, weeks: null };
  const work = async (api: Api) => {
    const { as, user } = await makeSignedIn(api);
    const completed = { timeZone: "UTC", status: "completed", isDeleted: false };
    const trained = days.map((day) => ({ ...completed, startedAtMs: Date.parse(`${day}T12:00Z`) }));
    await train(api, user.id, trained);
    streaks = (await api.get(STREAKS, { as })).json;
  };
  await withApi(work, { nowMs: () => Date.parse(instant) })();
  return streaks;
}

test("a streak of weeks continues across a new year that begins in week 53", async () => {
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

test("a streak is current until the following day or week is over", async () => {
  const day = { length: 1, from: "2026-01-05", to: "2026-01-05" };
  const week = { length: 1, from: "2026-W02", to: "2026-W02" };
  const streaksAfterOneDay = (instant: string) => streaksAt(instant, ["2026-01-05"]);
  expect(await streaksAfterOneDay("2026-01-06T23:59:59Z")).toMatchObject({
    days: { current: day },
    weeks: { current: week },
  });
  expect(await streaksAfterOneDay("2026-01-07T00:00:00Z")).toMatchObject({
    days: { current: null, longest: day },
  });
  expect(await streaksAfterOneDay("2026-01-18T23:59:59Z")).toMatchObject({
    weeks: { current: week },
  });
  expect(await streaksAfterOneDay("2026-01-19T00:00:00Z")).toMatchObject({
    weeks: { current: null, longest: week },
  });
});

test("a workout far in the future does not replace the current streak", async () => {
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
  "streaks count only the user's own workouts, take one statement, and may be empty",
  withApi(async (api) => {
    const [athlete, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    const workout = {
      startedAtMs: Date.now(),
      timeZone: "Asia/Tokyo",
      status: "completed",
      isDeleted: false,
    };
    await train(api, athlete.user.id, [workout]);
    expect((await api.get(STREAKS, { as: athlete.as })).json).toMatchObject({
      timeZone: "Asia/Tokyo",
      workoutCount: 1,
    });
    expect(await statementsOf(() => api.get(STREAKS, { as: athlete.as }))).toHaveLength(1);
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
      expectProblem(
        await api.get(`${STREAKS}?${query}`, { as: athlete.as }),
        422,
        "invalid_request",
      );
    }
  }),
);
