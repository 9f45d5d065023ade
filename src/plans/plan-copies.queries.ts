import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { canReadPlan, isAllowed } from "../permissions/visibility.queries.ts";

/**
 * Copies a plan that `userId` may read, into their own and private; its id, or undefined. Their own
 * routines are used again; those of others are copied too, under a name that is free, and keep
 * other people's own exercises by name only. Breaks `plans_owner_name_unique` or `plans_pkey`. One
 * statement.
 */
export async function copyPlan(
  { sql }: Db,
  userId: string,
  planId: string,
  { id, name }: { id?: string; name?: string },
): Promise<string | undefined> {
  const [made] = await sql<{ id: string }[]>`
    with original as materialized (select * from plans where plans.id = ${planId} and ${canReadPlan(sql, userId)}),
    receivers as materialized (
      select ${userId}::uuid as owner_id, coalesce(${id ?? null}::uuid, uuidv7()) as plan_id, null::uuid as assigned_by,
        coalesce(${name ?? null}, case when owner_id = ${userId} then left(name, 93) || ' (copy)' else name end) as plan_name
      from original
    ), ${copying(sql)}
    select plan_id as id from receivers`;
  return made?.id;
}

/**
 * What became of an assignment: ids of clients who do not let the trainer write their plans; with
 * any, nothing was written.
 */
export type Assigned = { isFound: boolean; missing: string[]; json: string };

/**
 * Copies a plan of `trainerId`'s own into the account of each of `clientIds`, as `copyPlan` does
 * but under a name that is free, and says in the copies where they come from. `json` has the id of
 * each client and of their copy, in the order given. One statement for all of them.
 */
export async function assignPlan(
  { sql }: Db,
  trainerId: string,
  planId: string,
  clientIds: string[],
): Promise<Assigned> {
  const [made] = await sql<Assigned[]>`
    with original as materialized (select * from plans where id = ${planId} and owner_id = ${trainerId}),
    asked as materialized (select * from unnest(${clientIds}::uuid[]) with ordinality as asked (id, at)),
    allowed as materialized (
      select asked.id, at, client_id as owner_id from asked join clients on clients.id = asked.id
      where ${isAllowed(sql, trainerId, "write_plans")}
    ), missing as (select id from asked where id not in (select id from allowed)),
    receivers as materialized (
      select wanted.id as client_id, at, owner_id, uuidv7() as plan_id, ${trainerId}::uuid as assigned_by,
        ${freeName(sql, "plans")} as plan_name
      from (select allowed.*, name, 1 as nth from allowed cross join original) as wanted
      where not exists (select from missing)
    ), ${copying(sql)}
    select exists (select from original) as "isFound", array(select id::text from missing order by id) as missing, (
      select coalesce(json_agg(json_build_object('clientId', client_id, 'planId', plan_id) order by at), '[]')::text
      from receivers
    ) as json`;
  return made as Assigned;
}

/**
 * Copies `original` for each of `receivers`, with the routines that are not theirs. Each copy of a
 * routine gets a name that neither the receiver's own nor another copy has.
 */
const copying = (sql: Db["sql"]): Fragment => sql`
  copies as materialized (
    select receivers.owner_id, routines.id as original_id, uuidv7() as id, routines.name, routines.description,
      row_number() over (partition by receivers.owner_id, lower(${stem(sql, "routines.name")}) order by routines.id) as nth
    from receivers cross join original
    join routines on routines.id in (select routine_id from plan_routines where plan_id = original.id)
    where routines.owner_id <> receivers.owner_id
  ), made_routines as (
    insert into routines (id, owner_id, name, description)
    select id, owner_id, ${freeName(sql, "routines")}, description from copies as wanted
  ), made_entries as (
    insert into routine_exercises (routine_id, position, exercise_id, exercise_name, mode, sets, reps_min, reps_max, weight,
      weight_unit, time_s, distance_m, rpe, rir, rest_s, tempo, superset_group, notes)
    select copies.id, position, visible.id, exercise_name, entry.mode, sets, reps_min, reps_max, weight, weight_unit, time_s,
      distance_m, rpe, rir, rest_s, tempo, superset_group, notes
    from copies join routine_exercises as entry on entry.routine_id = copies.original_id
    left join exercises as visible
      on visible.id = entry.exercise_id and (visible.owner_id is null or visible.owner_id = copies.owner_id)
  ), made_plans as (
    insert into plans (id, owner_id, name, description, difficulty, weeks, assigned_by, assigned_from_plan_id,
      assigned_from_version)
    select plan_id, receivers.owner_id, plan_name, description, difficulty, weeks, receivers.assigned_by,
      case when receivers.assigned_by is not null then original.id end,
      case when receivers.assigned_by is not null then original.version end
    from receivers cross join original returning id
  ), made_links as (
    insert into plan_routines (plan_id, routine_id, day, position)
    select receivers.plan_id, coalesce(copies.id, link.routine_id), day, position
    -- After the plans: when an id is taken, it is the plan's key that breaks, and not a position of the other plan.
    from made_plans join receivers on receivers.plan_id = made_plans.id
    cross join original join plan_routines as link on link.plan_id = original.id
    left join copies on copies.original_id = link.routine_id and copies.owner_id = receivers.owner_id
  )`;

/** What is left of a name to put a number behind it. */
const stem = (sql: Db["sql"], name: string): Fragment => sql`rtrim(left(${sql(name)}, 92))`;

/**
 * The name of the row of `wanted`, or if its owner has one in `table` already, the name with a
 * number from 2: the `nth` that neither has them nor, among routines, another of `original`, which
 * wants its name too. There are as many numbers to choose from as may be taken, and `nth`; no more,
 * since each is looked up.
 */
function freeName(sql: Db["sql"], table: "plans" | "routines"): Fragment {
  const theirs = sql`from ${sql(table)} as theirs where theirs.owner_id = wanted.owner_id`;
  const others = sql`from original join plan_routines as entry on entry.plan_id = original.id
    join routines as other on other.id = entry.routine_id`;
  const isRoutine = table === "routines";
  const isWanted = sql`or exists (select ${others} where lower(other.name) = lower(numbered.name))`;
  const numbers = sql`lower(${stem(sql, "wanted.name")} || ' (')`;
  const wantedCount = sql`+ (select count(*) ${others} where starts_with(lower(other.name), ${numbers}))`;
  return sql`case when not exists (select ${theirs} and lower(theirs.name) = lower(wanted.name)) then wanted.name else (
    select numbered.name from generate_series(2, 1 + nth + (
      select count(*) ${theirs} and starts_with(lower(theirs.name), ${numbers})) ${isRoutine ? wantedCount : sql``}) as n
    cross join lateral (select ${stem(sql, "wanted.name")} || ' (' || n || ')' as name) as numbered
    where not (exists (select ${theirs} and lower(theirs.name) = lower(numbered.name)) ${isRoutine ? isWanted : sql``})
    order by n offset nth - 1 limit 1
  ) end`;
}
