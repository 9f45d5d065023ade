import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { planJson } from "../plans/plans.queries.ts";
import { routineJson } from "../routines/routines.queries.ts";
import { workoutJson } from "../workouts/workouts.queries.ts";
import type { Kind } from "./sync.schemas.ts";

/**
 * A thing at the place of its latest change; `json` is how it is now, null when it is gone or in
 * the trash.
 */
export type Change = { place: string; kind: Kind; id: string; json: string | null };

/** The state of the feed that a page was read from. */
export type Feed = {
  generation: string;
  /** Days since 1970 at which the generation began, and now. */
  beganOnDay: number;
  today: number;
  /** The user's last place; 0 when nothing of theirs ever changed. */
  lastPlace: string;
  /**
   * The origin is another than when the generation began, so a new one must begin. Never true on a
   * replica.
   */
  isMoved: boolean;
};

/**
 * Changes of `userId`'s things after `place`, in the order in which they were committed, at most
 * `limit`, all as of one moment, and the feed as of the same moment. A thing that changed again
 * stands at its later place only. One statement.
 */
export async function listChanges(
  { sql }: Db,
  userId: string,
  place: string,
  limit: number,
): Promise<{ feed: Feed; changes: Change[] }> {
  const rows = await sql<(Feed & (Change | { place: null }))[]>`
    with feed as materialized (
      select id as generation, ${day(sql, sql`began_at`)} as "beganOnDay", ${day(sql, sql`now()`)} as today,
        coalesce((select max(place) from changes where user_id = ${userId}), 0)::text as "lastPlace",
        coalesce(origin <> feed_origin(), false) as "isMoved"
      from feed_generation
    ), page as (
      select place, kind, entity_id from changes where user_id = ${userId} and place > ${place}::bigint
      order by place limit ${limit}
    )
    select feed.*, page.place::text, kind, entity_id as id, case kind
      when 'exercise' then (select document from exercises where id = entity_id and owner_id = ${userId})
      when 'routine' then (select ${routineJson(sql, userId)} from routines where id = entity_id and owner_id = ${userId})
      when 'plan' then (select ${planJson(sql, userId)} from plans where id = entity_id and owner_id = ${userId})
      when 'workout' then (select ${workoutJson(sql)} from workouts
        where id = entity_id and user_id = ${userId} and deleted_at is null)
      end as json
    from feed left join page on true order by page.place`;
  return {
    feed: rows[0] as Feed,
    changes: rows.filter((row): row is Feed & Change => row.place !== null),
  };
}

const day = (sql: Db["sql"], instant: Fragment): Fragment =>
  sql`(extract(epoch from ${instant})::bigint / 86400)::int`;

/**
 * Begins a new generation of the feed if the origin of the history has changed; only on a primary.
 */
export async function beginGenerationIfMoved({ sql }: Db): Promise<void> {
  await sql`
    update feed_generation set id = uuidv7(), origin = feed_origin(), began_at = clock_timestamp()
    where origin <> feed_origin()`;
}

/** Deletes tombstones that are older than `days` days, except at a user's last place. */
export async function deleteOldTombstones({ sql }: Db, days: number): Promise<void> {
  await sql`
    delete from changes where gone_at < now() - make_interval(days => ${days}::int)
      and place < (select max(place) from changes as others where others.user_id = changes.user_id)`;
}

/** Which of the given things `userId` has or had, as `kind id`. One statement. */
export async function listKnown(
  { sql }: Db,
  userId: string,
  things: { kind: Kind; id: string }[],
): Promise<Set<string>> {
  const rows = await sql<{ thing: string }[]>`
    select kind || ' ' || entity_id as thing from changes
    where user_id = ${userId} and entity_id = any (${things.map(({ id }) => id)}::uuid[])`;
  return new Set(rows.map(({ thing }) => thing));
}

/** Makes the batches of one user's devices wait for one another until the transaction ends. */
export async function lockSync({ sql }: Db, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(${userId}))`;
}

/** Every constraint of the schema that is checked at the commit. */
export const DEFERRED_CONSTRAINTS = ["plan_routines_routine_id_fkey"];

/**
 * Makes each statement of the transaction check the deferred constraints, so that the change that
 * breaks one is known.
 */
export async function checkConstraintsAtOnce({ sql }: Db): Promise<void> {
  await sql`set constraints ${sql(DEFERRED_CONSTRAINTS)} immediate`;
}

/** Any number that nothing else locks on by two keys. */
const LOCK_CLASS = 710_613;
