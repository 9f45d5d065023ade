import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { planJson } from "../plans/plans.queries.ts";
import { routineJson } from "../routines/routines.queries.ts";
import { workoutJson } from "../workouts/workouts.queries.ts";
import type { Kind } from "./sync.schemas.ts";

/**
 * An entity at the position of its latest change; `json` is its current state, null if it is
 * deleted or in the trash.
 */
export type Change = { position: string; kind: Kind; id: string; json: string | null };

/** The state of the change feed from which a page was read. */
export type Feed = {
  generation: string;
  /** When the generation began, and now, in days since 1970. */
  beganOnDay: number;
  today: number;
  /** The position of the user's latest change; 0 if there was none. */
  lastPosition: string;
  /**
   * Whether the origin has changed since the generation began, so that a new one must begin. Never
   * true on a replica.
   */
  hasNewOrigin: boolean;
};

/**
 * Changes of `userId`'s entities after `position`, in the order in which they were committed, at
 * most `limit`, and the state of the feed, all from one snapshot. Each entity appears once, at its
 * latest change. One statement.
 */
export async function listChanges(
  { sql }: Db,
  userId: string,
  position: string,
  limit: number,
): Promise<{ feed: Feed; changes: Change[] }> {
  const rows = await sql<(Feed & (Change | { position: null }))[]>`
    with feed as materialized (
      select id as generation, ${day(sql, sql`began_at`)} as "beganOnDay",
        ${day(sql, sql`now()`)} as today,
        coalesce((select max(place) from changes where user_id = ${userId}), 0)::text
          as "lastPosition",
        coalesce(origin <> feed_origin(), false) as "hasNewOrigin"
      from feed_generation
    ), page as (
      select place, kind, entity_id from changes
      where user_id = ${userId} and place > ${position}::bigint
      order by place limit ${limit}
    )
    select feed.*, page.place::text as position, kind, entity_id as id,
      case kind
        when 'exercise' then (
          select document from exercises where id = entity_id and owner_id = ${userId}
        )
        when 'routine' then (
          select ${routineJson(sql, userId)} from routines
          where id = entity_id and owner_id = ${userId}
        )
        when 'plan' then (
          select ${planJson(sql, userId)} from plans
          where id = entity_id and owner_id = ${userId}
        )
        when 'workout' then (
          select ${workoutJson(sql)} from workouts
          where id = entity_id and user_id = ${userId} and deleted_at is null
        )
      end as json
    from feed left join page on true order by page.place`;
  return {
    feed: rows[0] as Feed,
    changes: rows.filter((row): row is Feed & Change => row.position !== null),
  };
}

const day = (sql: Db["sql"], instant: Fragment): Fragment =>
  sql`(extract(epoch from ${instant})::bigint / 86400)::int`;

/** Begins a new generation of the feed if its origin has changed. Only on a primary. */
export async function beginGenerationOnNewOrigin({ sql }: Db): Promise<void> {
  await sql`
    update feed_generation
    set id = uuidv7(), origin = feed_origin(), began_at = clock_timestamp()
    where origin <> feed_origin()`;
}

/** Deletes tombstones that are older than `days` days, except a user's latest change. */
export async function deleteOldTombstones({ sql }: Db, days: number): Promise<void> {
  await sql`
    delete from changes
    where gone_at < now() - make_interval(days => ${days}::int)
      and place < (
        select max(place) from changes as others where others.user_id = changes.user_id
      )`;
}

/** The entities of these that `userId` has or had, as `kind id`. One statement. */
export async function listKnown(
  { sql }: Db,
  userId: string,
  entities: { kind: Kind; id: string }[],
): Promise<Set<string>> {
  const rows = await sql<{ key: string }[]>`
    select kind || ' ' || entity_id as key from changes
    where user_id = ${userId} and entity_id = any (${entities.map(({ id }) => id)}::uuid[])`;
  return new Set(rows.map(({ key }) => key));
}

/** The first key of the advisory lock; no other two-key lock uses this number. */
const LOCK_CLASS = 710_613;

/** Serializes the batches of one user's devices: locks until the transaction ends. */
export async function lockSync({ sql }: Db, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(${userId}))`;
}

/** Every constraint of the schema that is checked at the commit. */
export const DEFERRED_CONSTRAINTS = ["plan_routines_routine_id_fkey"];

/**
 * Makes each statement of the transaction check the deferred constraints, so that a violation is
 * attributed to the change that causes it.
 */
export async function checkConstraintsImmediately({ sql }: Db): Promise<void> {
  await sql`set constraints ${sql(DEFERRED_CONSTRAINTS)} immediate`;
}
