import type { Db } from "#db/client.ts";
import { CLOCK_SKEW_S } from "./tokens.ts";

/**
 * How many attempts a key allows. The `free`-th attempt within `windowS` seconds blocks the key for
 * `delayS`. Each later attempt doubles the delay, at most until the window ends.
 */
export type Limit = { key: string; free: number; delayS: number; windowS: number };

/** What counting an attempt did to one key. */
export type Counted = {
  key: string;
  /** The attempt reached the limit of the key. */
  isAtLimit: boolean;
  /** The time until which the attempt blocks the key, as PostgreSQL writes it. */
  blockedUntil: string;
};

/**
 * An attempt that reaches a limit blocks the key for at most this long before its outcome is known.
 */
const JUDGEMENT_S = 30;

/**
 * Counts an attempt under each key that is not blocked, and under none if one is blocked when the
 * statement starts. Returns fewer rows than `limits` if a key was blocked: the caller then takes
 * the counts back (`returnAttempt`), and `findRefusing` says which key blocks. The statement waits
 * for attempts on the same keys; only the next statement sees what they wrote.
 */
export async function countAttempt(
  { sql }: Db,
  limits: Limit[],
  nowMs: number,
): Promise<Counted[]> {
  const now = new Date(nowMs).toISOString();
  return await sql<Counted[]>`
    with asked as materialized (
      select * from unnest(
        ${keysOf(limits)}::text[], ${limits.map(({ free }) => free)}::int[],
        ${limits.map(({ windowS }) => windowS)}::int[], ${limits.map(({ delayS }) => Math.min(delayS, JUDGEMENT_S))}::int[]
      ) as asked (key, free, window_s, judgement_s)
    ), counted as (
      insert into attempts as known (key, count, forgotten_at, blocked_until)
      select key, 1, ${now}::timestamptz + window_s * interval '1 s',
        case when free <= 1 then ${now}::timestamptz + judgement_s * interval '1 s' else '-infinity' end
      from asked
      where not exists (
        select from attempts join asked using (key) where blocked_until > ${now} and forgotten_at > ${now})
      order by key
      on conflict (key) do update set
        count = case when known.forgotten_at <= ${now} then 1 else known.count + 1 end,
        forgotten_at = case when known.forgotten_at <= ${now} then excluded.forgotten_at else known.forgotten_at end,
        blocked_until = case
          when known.forgotten_at <= ${now} then excluded.blocked_until
          else (
            select case when known.count + 1 >= free then ${now}::timestamptz + judgement_s * interval '1 s'
              else '-infinity' end
            from asked where asked.key = known.key
          ) end
      where known.blocked_until <= ${now} or known.forgotten_at <= ${now}
      returning key, blocked_until
    )
    select key, blocked_until > ${now} as "isAtLimit", blocked_until::text as "blockedUntil" from counted`;
}

/** Those of `keys` that are blocked, and for how many more seconds. */
export async function findRefusing(
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
 * Deletes counters whose window ends later than any window can end by the present clock. They are
 * from before the clock was set back, and would block their keys for as long as it was set back.
 * True if any were deleted.
 */
export async function forgetFutureAttempts(
  { sql }: Db,
  limits: Limit[],
  nowMs: number,
): Promise<boolean> {
  const latestS = Math.max(...limits.map(({ windowS }) => windowS)) + CLOCK_SKEW_S;
  const latest = new Date(nowMs + latestS * 1000).toISOString();
  const forgotten = await sql`
    delete from attempts where key = any (${keysOf(limits)}) and forgotten_at > ${latest} returning true`;
  return forgotten.length > 0;
}

/**
 * Blocks the keys whose limit is reached, each for its delay, doubled for every attempt beyond the
 * limit.
 */
export async function blockKeys({ sql }: Db, limits: Limit[], nowMs: number): Promise<void> {
  const now = new Date(nowMs).toISOString();
  await sql`
    with asked as materialized (
      select * from unnest(
        ${keysOf(limits)}::text[], ${limits.map(({ free }) => free)}::int[], ${limits.map(({ delayS }) => delayS)}::int[]
      ) as asked (key, free, delay_s)
    ), ${locking(sql, keysOf(limits))}
    update attempts set blocked_until = greatest(blocked_until,
      least(${now}::timestamptz + delay_s * power(2, least(count - free, 20)) * interval '1 s',
        greatest(forgotten_at, ${now}::timestamptz + delay_s * interval '1 s')))
    from asked join locked using (key) where asked.key = attempts.key and count >= free`;
}

/**
 * Takes a counted attempt back: deletes the counters of `cleared`, subtracts one from the others,
 * and lifts the block that the attempt set.
 */
export async function returnAttempt(
  { sql }: Db,
  counted: Counted[],
  limits: Limit[],
  cleared: string[] = [],
): Promise<void> {
  const returned = counted.filter(({ key }) => !cleared.includes(key));
  const freeOf = (key: string) => limits.find((limit) => limit.key === key)?.free ?? 1;
  await sql`
    with ${locking(sql, keysOf(counted))},
    gone as (delete from attempts using locked where attempts.key = locked.key and locked.key = any (${cleared})),
    given as materialized (
      select * from unnest(
        ${keysOf(returned)}::text[], ${returned.map(({ blockedUntil }) => blockedUntil)}::text[],
        ${returned.map(({ key }) => freeOf(key))}::int[]
      ) as given (key, blocked_until, free)
    )
    update attempts set count = greatest(count - 1, 0),
      blocked_until = case when count - 1 < free or attempts.blocked_until = given.blocked_until::timestamptz
        then '-infinity' else attempts.blocked_until end
    from given join locked using (key) where given.key = attempts.key`;
}

export const keysOf = (counted: { key: string }[]): string[] => counted.map(({ key }) => key);

/**
 * Locks the rows of `keys` in the order in which attempts are counted, so that two statements
 * cannot deadlock.
 */
const locking = (sql: Db["sql"], keys: string[]) =>
  sql`locked as materialized (select key from attempts where key = any (${keys}) order by key for update)`;

/** Removes counters whose window is over. */
export async function deleteExpiredAttempts({ sql }: Db): Promise<void> {
  await sql`delete from attempts where forgotten_at < now() - interval '1 hour'`;
}
