import type { Db } from "#db/client.ts";
import { CLOCK_SKEW_S } from "./tokens.ts";

/**
 * How many attempts a key allows. The `maxAttempts`-th attempt within `windowS` seconds blocks the
 * key for `delayS`. Each later attempt doubles the delay, at most until the window ends.
 */
export type Limit = { key: string; maxAttempts: number; delayS: number; windowS: number };

/** What counting an attempt did to one key. */
export type CountedKey = {
  key: string;
  /** Whether the attempt reached the limit of the key. */
  isAtLimit: boolean;
  /** The time until which the attempt blocks the key, as PostgreSQL writes it. */
  blockedUntil: string;
};

/** An unchecked attempt that reaches a limit blocks the key for at most this long. */
const MAX_CHECK_S = 30;

/**
 * Counts an attempt under each key that is not blocked, and under none if one is blocked when the
 * statement starts. Returns fewer rows than `limits` if a key was blocked: the caller then calls
 * `uncountAttempt`, and `findBlocked` tells which key blocks. The statement waits for attempts on
 * the same keys; only the next statement sees what they wrote.
 */
export async function countAttempt(
  { sql }: Db,
  limits: Limit[],
  nowMs: number,
): Promise<CountedKey[]> {
  const now = new Date(nowMs).toISOString();
  const checkS = limits.map(({ delayS }) => Math.min(delayS, MAX_CHECK_S));
  return await sql<CountedKey[]>`
    with limits as materialized (
      select * from unnest(
        ${keysOf(limits)}::text[], ${limits.map(({ maxAttempts }) => maxAttempts)}::int[],
        ${limits.map(({ windowS }) => windowS)}::int[], ${checkS}::int[]
      ) as limits (key, max_attempts, window_s, check_s)
    ), counted as (
      insert into attempts as stored (key, count, forgotten_at, blocked_until)
      select key, 1, ${now}::timestamptz + window_s * interval '1 s',
        case when max_attempts <= 1 then ${now}::timestamptz + check_s * interval '1 s'
          else '-infinity' end
      from limits
      where not exists (
        select from attempts join limits using (key)
        where blocked_until > ${now} and forgotten_at > ${now})
      order by key
      on conflict (key) do update set
        count = case when stored.forgotten_at <= ${now} then 1 else stored.count + 1 end,
        forgotten_at = case when stored.forgotten_at <= ${now} then excluded.forgotten_at
          else stored.forgotten_at end,
        blocked_until = case
          when stored.forgotten_at <= ${now} then excluded.blocked_until
          else (
            select case when stored.count + 1 >= max_attempts
              then ${now}::timestamptz + check_s * interval '1 s' else '-infinity' end
            from limits where limits.key = stored.key
          ) end
      where stored.blocked_until <= ${now} or stored.forgotten_at <= ${now}
      returning key, blocked_until
    )
    select key, blocked_until > ${now} as "isAtLimit", blocked_until::text as "blockedUntil"
    from counted`;
}

/** Those of `keys` that are blocked, and for how many more seconds. */
export async function findBlocked(
  { sql }: Db,
  keys: string[],
  nowMs: number,
): Promise<{ key: string; waitS: number }[]> {
  const now = new Date(nowMs).toISOString();
  return await sql<{ key: string; waitS: number }[]>`
    select key, ceil(extract(epoch from blocked_until - ${now}::timestamptz))::int as "waitS"
    from attempts where key = any (${keys}) and blocked_until > ${now} and forgotten_at > ${now}`;
}

/**
 * Deletes counters whose window ends later than any window can end by the present clock. They were
 * written before the clock was set back, and would block their keys for as long as it was set back.
 * Returns whether any were deleted.
 */
export async function deleteFutureAttempts(
  { sql }: Db,
  limits: Limit[],
  nowMs: number,
): Promise<boolean> {
  const maxWindowS = Math.max(...limits.map(({ windowS }) => windowS));
  const latest = new Date(nowMs + (maxWindowS + CLOCK_SKEW_S) * 1000).toISOString();
  const deleted = await sql`
    delete from attempts where key = any (${keysOf(limits)}) and forgotten_at > ${latest}`;
  return deleted.count > 0;
}

/**
 * Blocks the keys whose limit is reached for their delay, doubled for each attempt beyond the
 * limit.
 */
export async function blockKeys({ sql }: Db, limits: Limit[], nowMs: number): Promise<void> {
  const now = new Date(nowMs).toISOString();
  await sql`
    with limits as materialized (
      select * from unnest(
        ${keysOf(limits)}::text[], ${limits.map(({ maxAttempts }) => maxAttempts)}::int[],
        ${limits.map(({ delayS }) => delayS)}::int[]
      ) as limits (key, max_attempts, delay_s)
    ), ${lockedRows(sql, keysOf(limits))}
    update attempts set blocked_until = greatest(blocked_until,
      least(
        ${now}::timestamptz + delay_s * power(2, least(count - max_attempts, 20)) * interval '1 s',
        greatest(forgotten_at, ${now}::timestamptz + delay_s * interval '1 s')))
    from limits join locked using (key)
    where limits.key = attempts.key and count >= max_attempts`;
}

/**
 * Undoes `countAttempt`: deletes the counters of `cleared`, subtracts one from the others, and
 * lifts the block that the attempt set.
 */
export async function uncountAttempt(
  { sql }: Db,
  counted: CountedKey[],
  limits: Limit[],
  cleared: string[] = [],
): Promise<void> {
  const kept = counted.filter(({ key }) => !cleared.includes(key));
  const maxAttemptsOf = (key: string) =>
    limits.find((limit) => limit.key === key)?.maxAttempts ?? 1;
  await sql`
    with ${lockedRows(sql, keysOf(counted))},
    deleted as (
      delete from attempts using locked
      where attempts.key = locked.key and locked.key = any (${cleared})
    ),
    counted as materialized (
      select * from unnest(
        ${keysOf(kept)}::text[], ${kept.map(({ blockedUntil }) => blockedUntil)}::text[],
        ${kept.map(({ key }) => maxAttemptsOf(key))}::int[]
      ) as counted (key, blocked_until, max_attempts)
    )
    update attempts set count = greatest(count - 1, 0),
      blocked_until = case
        when count - 1 < max_attempts
          or attempts.blocked_until = counted.blocked_until::timestamptz then '-infinity'
        else attempts.blocked_until end
    from counted join locked using (key) where counted.key = attempts.key`;
}

export const keysOf = (keyed: { key: string }[]): string[] => keyed.map(({ key }) => key);

/** Locks rows in the same order as `countAttempt`, so that statements cannot deadlock. */
const lockedRows = (sql: Db["sql"], keys: string[]) => sql`locked as materialized (
  select key from attempts where key = any (${keys}) order by key for update)`;

/** Deletes counters whose window has ended. */
export async function deleteExpiredAttempts({ sql }: Db): Promise<void> {
  await sql`delete from attempts where forgotten_at < now() - interval '1 hour'`;
}
