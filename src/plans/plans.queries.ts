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
    select ${planJson(sql, userId)} as json from plans where plans.id = ${planId} and ${canReadPlan(sql, userId)}`;
  return row?.json;
}

type PlanScope = { scope?: "own" | "shared" | "public" | "clients"; searchString?: string };

/**
 * One page of summaries, by name, ties by id: one's own, those shared with one, everybody's public
 * ones, or one's clients'.
 */
export async function listPlansJson(
  { sql }: Db,
  userId: string,
  { scope = "own", searchString }: PlanScope,
  { limit, offset }: PageWindow,
): Promise<{ items: string; total: number }> {
  const scopes = {
    own: sql`owner_id = ${userId}`,
    shared: sql`sharing = 'shared' and id in (select plan_id from grants where grantee_id = ${userId})`,
    public: sql`sharing = 'public'`,
    clients: isClient(sql, "plans.owner_id", userId, "write_plans"),
  };
  const searched = searchString
    ? sql`and search_form(name) like '%' || search_form(${escapeLike(searchString)}) || '%'`
    : sql``;
  const [page] = await sql<{ items: string; total: number }[]>`
    with matching as (select id, lower(name) as sort_key from plans where ${scopes[scope]} ${searched}),
    page as (select id, sort_key from matching order by sort_key, id limit ${limit} offset ${offset})
    select (select count(*) from matching)::int as total, (
      select coalesce(string_agg(row_to_json(shown)::text, ',' order by page.sort_key, page.id), '')
      from page join lateral (
        select ${planFields(sql, userId)}, (select count(*) from plan_routines where plan_id = plans.id) as "routineCount"
        from plans where plans.id = page.id
      ) as shown on true
    ) as items`;
  return page as { items: string; total: number };
}

/**
 * What became of a write: `missing` are routines that the owner does not have; with any, nothing
 * was written.
 */
export type WrittenPlan = { id: string | null; missing: string[] };

/**
 * Inserts a plan with its routines. Breaks `plans_owner_name_unique` or `plans_pkey`. One
 * statement.
 */
export async function insertPlan(
  { sql }: Db,
  ownerId: string,
  plan: Omit<NewPlan, "routines">,
  entries: PlanEntry[],
): Promise<WrittenPlan> {
  const [made] = await sql<WrittenPlan[]>`
    with ${listed(sql, entries)}, ${missing(sql, ownerId)}, made as (
      insert into plans (id, owner_id, name, description, difficulty, sharing, weeks)
      select coalesce(${plan.id ?? null}::uuid, uuidv7()), ${ownerId}::uuid, ${plan.name}, ${plan.description ?? null},
        ${plan.difficulty ?? null}, ${plan.sharing ?? "private"}, ${plan.weeks ?? null}::smallint
      where not exists (select from missing) returning id
    ), written as (
      insert into plan_routines (plan_id, routine_id, day, position)
      select made.id, routine_id, day, position from made cross join listed
    )
    select (select id from made) as id, array(select routine_id::text from missing) as missing`;
  return made as WrittenPlan;
}

/**
 * Changes columns of a locked plan, and replaces its routines when they are given. Its `id` is
 * null, with nothing in `missing`, when `userId` may not write it any more. One statement.
 */
export async function updatePlan(
  { sql }: Db,
  userId: string,
  plan: { id: string; ownerId: string },
  columns: PlanColumns,
  entries: PlanEntry[] | undefined,
): Promise<WrittenPlan> {
  const isReplaced = entries !== undefined;
  const [written] = await sql<WrittenPlan[]>`
    with ${listed(sql, entries ?? [])}, ${missing(sql, plan.ownerId)}, changed as (
      update plans set name = coalesce(${columns.name ?? null}, name),
        description = case when ${columns.description !== undefined} then ${columns.description ?? null} else description end,
        difficulty = case when ${columns.difficulty !== undefined} then ${columns.difficulty ?? null} else difficulty end,
        weeks = case when ${columns.weeks !== undefined} then ${columns.weeks ?? null}::smallint else weeks end,
        sharing = coalesce(${columns.sharing ?? null}, sharing), updated_at = clock_timestamp(), version = version + 1
      where id = ${plan.id} and ${canWritePlan(sql, userId)} and not exists (select from missing) returning id
    ), gone as (
      delete from plan_routines where ${isReplaced} and plan_id in (select id from changed)
        and (day, position) not in (select day, position from listed)
    ), written as (
      insert into plan_routines (plan_id, routine_id, day, position)
      select changed.id, routine_id, day, position from changed cross join listed
      on conflict (plan_id, day, position) do update set routine_id = excluded.routine_id
    )
    select (select id from changed) as id, array(select routine_id::text from missing) as missing`;
  return written as WrittenPlan;
}

export async function deletePlan({ sql }: Db, planId: string): Promise<void> {
  await sql`delete from plans where id = ${planId}`;
}

const listed = (sql: Db["sql"], entries: PlanEntry[]): Fragment => {
  const rows = entries.map(({ routineId, day, position }) => ({
    routine_id: routineId,
    day,
    position,
  }));
  return sql`listed as (
    select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (routine_id uuid, day smallint, position smallint)
  )`;
};

/**
 * The listed routines that `ownerId` does not have. Locks the others against deletion now. If that
 * were left to the deferred foreign key at the commit, the transaction would already hold the lock
 * of its user, and deadlock with a deletion that waits for that lock.
 */
const missing = (sql: Db["sql"], ownerId: string): Fragment => sql`held as materialized (
  select id from routines where id in (select routine_id from listed) and owner_id = ${ownerId} order by id for key share
), missing as (
  select distinct routine_id from listed where routine_id not in (select id from held)
)`;

const planFields = (sql: Db["sql"], userId: string): Fragment => sql`
  plans.id, plans.owner_id as "ownerId",
  case when plans.owner_id = ${userId} then 'owner' when ${canWritePlan(sql, userId)} then 'write' else 'read' end as access,
  plans.name, plans.description, plans.difficulty, plans.sharing, plans.weeks,
  case when assigned_from_version is not null and (plans.owner_id = ${userId} or assigned_by = ${userId})
    then json_build_object('planId', assigned_from_plan_id, 'version', assigned_from_version, 'trainerId', assigned_by)
    end as "assignedFrom",
  ${instant(sql, "plans.created_at")} as "createdAt",
  ${instant(sql, "plans.updated_at")} as "updatedAt", plans.version`;

/** The routines of the row of `plans`, by day and position. */
export const planRoutinesJson = (sql: Db["sql"]): Fragment => sql`(
  select coalesce(json_agg(row_to_json(entry) order by entry.day, entry.position), '[]') from (
    select plan_routines.id, day, position, routine_id as "routineId", routines.name as "routineName"
    from plan_routines join routines on routines.id = routine_id where plan_id = plans.id
  ) as entry
)`;

/** A row of `plans` with its routines as JSON, as `userId` is shown it. */
export const planJson = (sql: Db["sql"], userId: string): Fragment => sql`(
  select row_to_json(shown)::text from (
    select ${planFields(sql, userId)}, ${planRoutinesJson(sql)} as routines
  ) as shown
)`;
