import type { Db } from "#db/client.ts";

/**
 * How many days, and ISO weeks with at least `perWeek` training days, `userId` has trained one
 * after the other, as JSON: at present and at most, of equals the latest. Each workout counts on
 * the day that it was where it was; today is `now` in `timeZone`, or where the latest workout was.
 * A day or week that is not over breaks nothing. What begins later than tomorrow, which it may be
 * already where the workout was, is not at present. Broken-off workouts and the trash are left out.
 * Islands are found by the difference of a day and its number. One statement.
 */
export async function findStreaksJson(
  { sql }: Db,
  userId: string,
  { now, timeZone, perWeek }: { now: Date; timeZone: string | undefined; perWeek: number },
): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    with done as (
      select started_at, time_zone, (started_at at time zone time_zone)::date as day from workouts
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
    ), place as (
      select coalesce(${timeZone ?? null}, (select time_zone from done order by started_at desc limit 1), 'UTC') as zone
    ), today as (
      select zone, (${now.toISOString()}::timestamptz at time zone zone)::date as day from place
    ), days as (select distinct day from done),
    weeks as (
      select date_trunc('week', day)::date as day from days group by 1 having count(*) >= ${perWeek}::int
    ), day_streaks as (
      select min(day) as first, max(day) as last, count(*)::int as length
      from (select day, day - row_number() over (order by day)::int as island from days) as numbered group by island
    ), week_streaks as (
      select min(day) as first, max(day) as last, count(*)::int as length
      from (select day, day - 7 * row_number() over (order by day)::int as island from weeks) as numbered group by island
    )
    select json_build_object(
      'timeZone', zone, 'workoutCount', (select count(*) from done), 'dayCount', (select count(*) from days),
      'days', json_build_object(
        'current', (select json_build_object('length', length, 'from', first, 'to', last) from day_streaks
          where last >= today.day - 1 and first <= today.day + 1 order by first limit 1),
        'longest', (select json_build_object('length', length, 'from', first, 'to', last) from day_streaks
          order by length desc, last desc limit 1)),
      'weeks', json_build_object(
        'current', (select json_build_object('length', length, 'from', to_char(first, ${WEEK}), 'to', to_char(last, ${WEEK}))
          from week_streaks where last >= date_trunc('week', today.day)::date - 7 and first <= today.day + 1
          order by first limit 1),
        'longest', (select json_build_object('length', length, 'from', to_char(first, ${WEEK}), 'to', to_char(last, ${WEEK}))
          from week_streaks order by length desc, last desc limit 1)))::text as json
    from today`;
  return (row as { json: string }).json;
}

const WEEK = 'IYYY-"W"IW';
