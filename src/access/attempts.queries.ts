import type { Db } from "#db/client.ts";

/**
 * What is counted, and when it is too much: the `free`-th attempt within `windowS` seconds closes the door for `delayS`,
 * each further one for twice as long as the last, at most until the window ends.
 */
export type Limit = { key: string; free: number; delayS: number; windowS: number };

/**
 * Counts an attempt under every key before it is made, so that a thousand at once are a thousand. Returns for how many
 * seconds the caller must wait; 0 when it may go on.
 */
export async function reserveAttempt({ sql }: Db, limits: Limit[], nowMs: number): Promise<number> {
  if (limits.length === 0) return 0;
  const now = new Date(nowMs).toISOString();
  const sorted = limits.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const [state] = await sql<{ waitS: number }[]>`
    with asked as (
      select * from unnest(
        ${sorted.map(({ key }) => key)}::text[], ${sorted.map(({ free }) => free)}::int[],
        ${sorted.map(({ delayS }) => delayS)}::int[], ${sorted.map(({ windowS }) => windowS)}::int[]
      ) as asked (key, free, delay_s, window_s)
    ), counted as (
      insert into attempts as known (key, count, forgotten_at, blocked_until)
      select key, 1, ${now}::timestamptz + window_s * interval '1 s',
        case when free <= 1 then ${now}::timestamptz + delay_s * interval '1 s' else '-infinity' end
      from asked order by key
      on conflict (key) do update set
        count = case when known.forgotten_at <= ${now} then 1 else known.count + 1 end,
        forgotten_at = case when known.forgotten_at <= ${now} then excluded.forgotten_at else known.forgotten_at end,
        blocked_until = case
          when known.forgotten_at <= ${now} then excluded.blocked_until
          else (
            select case when known.count + 1 >= asked.free
              then least(${now}::timestamptz + asked.delay_s * power(2, least(known.count + 1 - asked.free, 20)) * interval '1 s',
                greatest(known.forgotten_at, ${now}::timestamptz + asked.delay_s * interval '1 s'))
              else '-infinity' end
            from asked where asked.key = known.key
          ) end
      where known.blocked_until <= ${now} or known.forgotten_at <= ${now}
      returning key
    )
    select coalesce(max(ceil(extract(epoch from blocked_until - ${now}::timestamptz))), 0)::int as "waitS"
    from attempts join asked using (key)
    where key not in (select key from counted) and blocked_until > ${now}`;
  return state?.waitS ?? 0;
}

/** Takes back what was counted for an attempt that succeeded: `cleared` keys are forgotten, `returned` ones lose one. */
export async function returnAttempt({ sql }: Db, cleared: string[], returned: string[]): Promise<void> {
  await sql`
    with gone as (delete from attempts where key = any (${cleared}))
    update attempts set count = greatest(count - 1, 0) where key = any (${returned})`;
}

/** Removes counters whose window is over. */
export async function deleteForgottenAttempts({ sql }: Db): Promise<void> {
  await sql`delete from attempts where forgotten_at < now() - interval '1 hour'`;
}
