import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { escapeLike, instant } from "#db/fragments.ts";
import type { PageWindow } from "../http/page.ts";
import { canReadPlan, canWritePlan, isClient } from "../permissions/visibility.queries.ts";
import type { NewPlan } from "./plans.schemas.ts";

export type PlanColumns = Omit<NewPlan, "id" | "name" | "routines"> & { name?: string };

/** A routine on a day; `position` counts those of one day, from 1. */
export type PlanEntry = { routineId: string; day: number; position: number };

/**
 * The plan with its routines by day and position, as JSON, if `userId` may read it. One statement.
 */
export async function findPlanJson(
  { sql }: Db,
  userId: string,
  planId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select ${planJson(sql, userId)} as json
    from plans
    where plans.id = ${planId} and ${canReadPlan(sql, userId)}`;
  return row?.json;
}

type PlanScope = { scope?: "own" | "shared" | "public" | "clients"; searchString?: string };

/**
 * One page of summaries, by name, ties by id: the plans that `userId` owns, that are shared with
 * them, that are public, or that their clients own.
 */
export async function listPlansJson(
  { sql }: Db,
  userId: string,
  { scope = "own", searchString }: PlanScope,
  { limit, offset }: PageWindow,
): Promise<{ items: string; total: number }> {
  const scopes = {
    own: sql`owner_id = ${userId}`,
    shared: sql`sharing = 'shared'
      and id in (select plan_id from grants where grantee_id = ${userId})`,
    public: sql`sharing = 'public'`,
    clients: isClient(sql, "plans.owner_id", userId, "write_plans"),
  };
  const searched = searchString
    ? sql`and search_form(name) like '%' || search_form(${escapeLike(searchString)}) || '%'`
    : sql``;
  const [page] = await sql<{ items: string; total: number }[]>`
    with matching as (
      select id, lower(name) as sort_key from plans where ${scopes[scope]} ${searched}
    ),
    page as (
      select id, sort_key from matching order by sort_key, id limit ${limit} offset ${offset}
    )
    select (select count(*) from matching)::int as total, (
      select coalesce(
        string_agg(row_to_json(summary)::text, ',' order by page.sort_key, page.id), '')
      from page
      join lateral (
        select ${planFields(sql, userId)},
          (select count(*) from plan_routines where plan_id = plans.id) as "routineCount"
        from plans
        where plans.id = page.id
      ) as summary on true
    ) as items`;
  return page as { items: string; total: number };
}

/**
 * The result of a write. `missing` are the routines that the owner does not have; if there are any,
 * nothing was written and `id` is null.
 */
export type PlanWrite = { id: string | null; missing: string[] };

/**
 * Inserts a plan with its routines. Violates `plans_owner_name_unique` or `plans_pkey`. One
 * statement.
 */
export async function insertPlan(
  { sql }: Db,
  ownerId: string,
  plan: Omit<NewPlan, "routines">,
  entries: PlanEntry[],
): Promise<PlanWrite> {
  const [write] = await sql<PlanWrite[]>`
    with ${entryRows(sql, entries)}, ${missing(sql, ownerId)}, inserted as (
      insert into plans (id, owner_id, name, description, difficulty, sharing, weeks)
      select coalesce(${plan.id ?? null}::uuid, uuidv7()), ${ownerId}::uuid, ${plan.name},
        ${plan.description ?? null}, ${plan.difficulty ?? null}, ${plan.sharing ?? "private"},
        ${plan.weeks ?? null}::smallint
      where not exists (select from missing)
      returning id
    ), inserted_entries as (
      insert into plan_routines (plan_id, routine_id, day, position)
      select inserted.id, routine_id, day, position from inserted cross join entries
    )
    select (select id from inserted) as id, array(select routine_id::text from missing) as missing`;
  return write as PlanWrite;
}

/**
 * Updates `columns` of a locked plan and, if `entries` are given, replaces its routines. If
 * `userId` may no longer write it, `id` is null and `missing` is empty. One statement.
 */
export async function updatePlan(
  { sql }: Db,
  userId: string,
  plan: { id: string; ownerId: string },
  columns: PlanColumns,
  entries: PlanEntry[] | undefined,
): Promise<PlanWrite> {
  const isReplaced = entries !== undefined;
  const [write] = await sql<PlanWrite[]>`
    with ${entryRows(sql, entries ?? [])}, ${missing(sql, plan.ownerId)}, updated as (
      update plans
      set name = coalesce(${columns.name ?? null}, name),
        description = case when ${columns.description !== undefined}
          then ${columns.description ?? null} else description end,
        difficulty = case when ${columns.difficulty !== undefined}
          then ${columns.difficulty ?? null} else difficulty end,
        weeks = case when ${columns.weeks !== undefined}
          then ${columns.weeks ?? null}::smallint else weeks end,
        sharing = coalesce(${columns.sharing ?? null}, sharing),
        updated_at = clock_timestamp(), version = version + 1
      where id = ${plan.id} and ${canWritePlan(sql, userId)} and not exists (select from missing)
      returning id
    ), deleted_entries as (
      delete from plan_routines
      where ${isReplaced} and plan_id in (select id from updated)
        and (day, position) not in (select day, position from entries)
    ), upserted_entries as (
      insert into plan_routines (plan_id, routine_id, day, position)
      select updated.id, routine_id, day, position from updated cross join entries
      on conflict (plan_id, day, position) do update set routine_id = excluded.routine_id
    )
    select (select id from updated) as id, array(select routine_id::text from missing) as missing`;
  return write as PlanWrite;
}

export async function deletePlan({ sql }: Db, planId: string): Promise<void> {
  await sql`delete from plans where id = ${planId}`;
}

/** The given entries as rows of `entries`. */
const entryRows = (sql: Db["sql"], entries: PlanEntry[]): Fragment => sql`entries as (
  select "routineId" as routine_id, day, position
  from json_to_recordset(${JSON.stringify(entries)}::text::json) as entry (
    "routineId" uuid, day smallint, position smallint)
)`;

/**
 * The routines in `entries` that `ownerId` does not have. Locks the others against deletion now. If
 * that were left to the deferred foreign key at the commit, the transaction would already hold the
 * lock of its user, and deadlock with a deletion that waits for that lock.
 */
const missing = (sql: Db["sql"], ownerId: string): Fragment => sql`locked as materialized (
  select id from routines
  where id in (select routine_id from entries) and owner_id = ${ownerId}
  order by id for key share
), missing as (
  select distinct routine_id from entries where routine_id not in (select id from locked)
)`;

const planFields = (sql: Db["sql"], userId: string): Fragment => sql`
  plans.id, plans.owner_id as "ownerId",
  case
    when plans.owner_id = ${userId} then 'owner'
    when ${canWritePlan(sql, userId)} then 'write'
    else 'read'
  end as access,
  plans.name, plans.description, plans.difficulty, plans.sharing, plans.weeks,
  case
    when assigned_from_version is not null
      and (plans.owner_id = ${userId} or assigned_by = ${userId})
    then json_build_object('planId', assigned_from_plan_id, 'version', assigned_from_version,
      'trainerId', assigned_by)
  end as "assignedFrom",
  ${instant(sql, "plans.created_at")} as "createdAt",
  ${instant(sql, "plans.updated_at")} as "updatedAt", plans.version`;

/** The routines of the row of `plans` by day and position, as a JSON array. */
export const planRoutinesJson = (sql: Db["sql"]): Fragment => sql`(
  select coalesce(json_agg(row_to_json(entry) order by entry.day, entry.position), '[]')
  from (
    select plan_routines.id, day, position, routine_id as "routineId", routines.name as "routineName"
    from plan_routines
    join routines on routines.id = routine_id
    where plan_id = plans.id
  ) as entry
)`;

/** The row of `plans` with its routines as JSON, as `userId` may see it. */
export const planJson = (sql: Db["sql"], userId: string): Fragment => sql`(
  select row_to_json(plan)::text
  from (select ${planFields(sql, userId)}, ${planRoutinesJson(sql)} as routines) as plan
)`;
