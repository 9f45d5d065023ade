import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { escapeLike, instant } from "#db/fragments.ts";
import type { PageWindow } from "../http/page.ts";
import {
  canReadPlan,
  canReadRoutine,
  canWriteRoutine,
  isClient,
} from "../permissions/visibility.queries.ts";

/** The routine with its exercises in order, as JSON, if `userId` may read it. One statement. */
export async function findRoutineJson(
  { sql }: Db,
  userId: string,
  routineId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select ${routineJson(sql, userId)} as json
    from routines
    where routines.id = ${routineId} and ${canReadRoutine(sql, userId)}`;
  return row?.json;
}

/**
 * Whether `userId` may read the routine. If `planId` is given, the routine must also be in that
 * plan and the user allowed to read the plan.
 */
export async function isReadableRoutine(
  { sql }: Db,
  userId: string,
  routineId: string,
  planId?: string,
): Promise<boolean> {
  const inPlan = planId
    ? sql`and exists (
        select from plan_routines
        join plans on plans.id = plan_id
        where routine_id = routines.id and plans.id = ${planId} and ${canReadPlan(sql, userId)})`
    : sql``;
  const rows = await sql`
    select from routines
    where id = ${routineId} and ${canReadRoutine(sql, userId)} ${inPlan}`;
  return rows.length > 0;
}

export type RoutineScope = {
  scope?: "own" | "shared" | "public" | "clients";
  searchString?: string;
};

/**
 * One page of summaries, by name, ties by id: the routines that `userId` owns, that are shared with
 * them, that are public, or that their clients own.
 */
export async function listRoutinesJson(
  { sql }: Db,
  userId: string,
  { scope = "own", searchString }: RoutineScope,
  { limit, offset }: PageWindow,
): Promise<{ items: string; total: number }> {
  const scopes = {
    own: sql`owner_id = ${userId}`,
    shared: sql`sharing = 'shared'
      and id in (select routine_id from grants where grantee_id = ${userId})`,
    public: sql`sharing = 'public'`,
    clients: isClient(sql, "routines.owner_id", userId, "write_plans"),
  };
  const searched = searchString
    ? sql`and search_form(name) like '%' || search_form(${escapeLike(searchString)}) || '%'`
    : sql``;
  const [page] = await sql<{ items: string; total: number }[]>`
    with matching as (
      select id, lower(name) as sort_key from routines where ${scopes[scope]} ${searched}
    ),
    page as (
      select id, sort_key from matching order by sort_key, id limit ${limit} offset ${offset}
    )
    select (select count(*) from matching)::int as total, (
      select coalesce(
        string_agg(row_to_json(summary)::text, ',' order by page.sort_key, page.id), '')
      from page
      join lateral (
        select ${routineFields(sql, userId)},
          (select count(*) from routine_exercises where routine_id = routines.id) as "exerciseCount"
        from routines
        where routines.id = page.id
      ) as summary on true
    ) as items`;
  return page as { items: string; total: number };
}

/** The names of the plans that use a routine, in no order. */
export async function listPlansWith({ sql }: Db, routineId: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct plans.name
    from plan_routines
    join plans on plans.id = plan_id
    where routine_id = ${routineId}`;
  return rows.map(({ name }) => name);
}

const routineFields = (sql: Db["sql"], userId: string): Fragment => sql`
  routines.id, routines.owner_id as "ownerId",
  case
    when routines.owner_id = ${userId} then 'owner'
    when ${canWriteRoutine(sql, userId)} then 'write'
    else 'read'
  end as access,
  routines.name, routines.description, routines.sharing,
  ${instant(sql, "routines.created_at")} as "createdAt",
  ${instant(sql, "routines.updated_at")} as "updatedAt", routines.version`;

/**
 * The exercises of the row of `routines` in order, as a JSON array. `exerciseId` is the expression
 * for the field of that name.
 */
export const routineExercisesJson = (sql: Db["sql"], exerciseId: Fragment): Fragment => sql`(
  select coalesce(json_agg(row_to_json(entry) order by entry.position), '[]')
  from (
    select id, position, ${exerciseId} as "exerciseId", exercise_name as "exerciseName", mode, sets,
      reps_min as "repsMin", reps_max as "repsMax",
      trim_scale(weight) as weight, weight_unit as "weightUnit",
      time_s as "timeS", distance_m as "distanceM", trim_scale(rpe) as rpe, rir,
      rest_s as "restS", tempo, superset_group as "supersetGroup", notes
    from routine_exercises
    where routine_id = routines.id
  ) as entry
)`;

/** The row of `routines` with its exercises as JSON, as `userId` may see it. */
export const routineJson = (sql: Db["sql"], userId: string): Fragment => sql`(
  select row_to_json(routine)::text
  from (
    select ${routineFields(sql, userId)},
      ${routineExercisesJson(sql, sql`exercise_id`)} as exercises
  ) as routine
)`;
