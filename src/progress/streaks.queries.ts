import type { Db } from "#db/client.ts";

/**
 * The current and the longest streak of training days, and of ISO weeks with at least `perWeek`
 * training days, of `userId` as JSON; of equally long streaks the latest. A workout counts for the
 * day of its start in its own time zone; today is `now` in `timeZone`, by default that of the
 * latest workout. A day or week that is not over does not end a streak. A current streak may begin
 * tomorrow at the latest, because a workout's time zone may be a day ahead. Aborted workouts and
 * the trash are left out. Streaks are found as islands: the difference between a day and its row
 * number is constant within one. One statement.
 */
export async function findStreaksJson(
  { sql }: Db,
  userId: string,
  { now, timeZone, perWeek }: { now: Date; timeZone: string | undefined; perWeek: number },
): Promise<string> {
  const days = sql`json_build_object('length', length, 'from', first, 'to', last)`;
  const weeks = sql`json_build_object('length', length,
    'from', to_char(first, ${WEEK}), 'to', to_char(last, ${WEEK}))`;
  const [row] = await sql<{ json: string }[]>`
    with own_workouts as (
      select started_at, time_zone, (started_at at time zone time_zone)::date as day
      from workouts
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
    ), present as (
      select coalesce(
        ${timeZone ?? null},
        (select time_zone from own_workouts order by started_at desc limit 1),
        'UTC') as zone
    ), today as (
      select zone, (${now.toISOString()}::timestamptz at time zone zone)::date as day from present
    ), days as (
      select distinct day from own_workouts
    ), weeks as (
      select date_trunc('week', day)::date as day
      from days
      group by 1
      having count(*) >= ${perWeek}::int
    ), day_streaks as (
      select min(day) as first, max(day) as last, count(*)::int as length
      from (
        select day, day - row_number() over (order by day)::int as island from days
      ) as numbered
      group by island
    ), week_streaks as (
      select min(day) as first, max(day) as last, count(*)::int as length
      from (
        select day, day - 7 * row_number() over (order by day)::int as island from weeks
      ) as numbered
      group by island
    )
    select json_build_object(
      'timeZone', zone,
      'workoutCount', (select count(*) from own_workouts),
      'dayCount', (select count(*) from days),
      'days', json_build_object(
        'current', (
          select ${days} from day_streaks
          where last >= today.day - 1 and first <= today.day + 1
          order by first limit 1),
        'longest', (select ${days} from day_streaks order by length desc, last desc limit 1)),
      'weeks', json_build_object(
        'current', (
          select ${weeks} from week_streaks
          where last >= date_trunc('week', today.day)::date - 7 and first <= today.day + 1
          order by first limit 1),
        'longest', (select ${weeks} from week_streaks order by length desc, last desc limit 1))
      )::text as json
    from today`;
  return (row as { json: string }).json;
}

const WEEK = 'IYYY-"W"IW';
