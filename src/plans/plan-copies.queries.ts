import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { canReadPlan, clientAllows } from "../permissions/visibility.queries.ts";

/**
 * Copies a plan that `userId` may read into a private plan of their own and returns its id;
 * undefined for any other plan. The copy refers to the user's own routines and to copies of the
 * others, each under a free name. Exercises that the user may not see are copied by name only.
 * Violates `plans_owner_name_unique` or `plans_pkey`. One statement.
 */
export async function copyPlan(
  { sql }: Db,
  userId: string,
  planId: string,
  { id, name }: { id?: string; name?: string },
): Promise<string | undefined> {
  const [copy] = await sql<{ id: string }[]>`
    with original as materialized (
      select * from plans where plans.id = ${planId} and ${canReadPlan(sql, userId)}
    ),
    receivers as materialized (
      select ${userId}::uuid as owner_id, coalesce(${id ?? null}::uuid, uuidv7()) as plan_id,
        null::uuid as assigned_by,
        coalesce(
          ${name ?? null},
          case when owner_id = ${userId} then left(name, 93) || ' (copy)' else name end
        ) as plan_name
      from original
    ), ${copies(sql)}
    select plan_id as id from receivers`;
  return copy?.id;
}

/**
 * The result of an assignment: `missing` are the ids of clients who do not let the trainer write
 * their plans; if there are any, nothing was written.
 */
export type Assigned = { isFound: boolean; missing: string[]; json: string };

/**
 * Copies a plan of `trainerId` into the account of each of `clientIds`, as `copyPlan` does but
 * under a free name, and records in each copy where it comes from. `json` is an array of the id of
 * each client and of their copy, in the given order. One statement for all clients.
 */
export async function assignPlan(
  { sql }: Db,
  trainerId: string,
  planId: string,
  clientIds: string[],
): Promise<Assigned> {
  const [assigned] = await sql<Assigned[]>`
    with original as materialized (
      select * from plans where id = ${planId} and owner_id = ${trainerId}
    ),
    requested as materialized (
      select * from unnest(${clientIds}::uuid[]) with ordinality as requested (id, ordinal)
    ),
    allowed as materialized (
      select requested.id, ordinal, client_id as owner_id
      from requested
      join clients on clients.id = requested.id
      where ${clientAllows(sql, trainerId, "write_plans")}
    ),
    missing as (select id from requested where id not in (select id from allowed)),
    receivers as materialized (
      select source.id as client_id, ordinal, owner_id, uuidv7() as plan_id,
        ${trainerId}::uuid as assigned_by, ${freeName(sql, "plans")} as plan_name
      from (select allowed.*, name, 1 as nth from allowed cross join original) as source
      where not exists (select from missing)
    ), ${copies(sql)}
    select exists (select from original) as "isFound",
      array(select id::text from missing order by id) as missing,
      (
        select coalesce(
          json_agg(json_build_object('clientId', client_id, 'planId', plan_id) order by ordinal),
          '[]')::text
        from receivers
      ) as json`;
  return assigned as Assigned;
}

/**
 * Copies `original` for each of `receivers`, with the routines that are not theirs. Each copied
 * routine gets a name that neither the receiver's routines nor the other copies have.
 */
const copies = (sql: Db["sql"]): Fragment => sql`
  routine_copies as materialized (
    select receivers.owner_id, routines.id as original_id, uuidv7() as id, routines.name,
      routines.description,
      row_number() over (
        partition by receivers.owner_id, lower(${stem(sql, "routines.name")}) order by routines.id
      ) as nth
    from receivers
    cross join original
    join routines
      on routines.id in (select routine_id from plan_routines where plan_id = original.id)
    where routines.owner_id <> receivers.owner_id
  ), inserted_routines as (
    insert into routines (id, owner_id, name, description)
    select id, owner_id, ${freeName(sql, "routines")}, description
    from routine_copies as source
  ), inserted_entries as (
    insert into routine_exercises (routine_id, position, exercise_id, exercise_name, mode, sets,
      reps_min, reps_max, weight, weight_unit, time_s, distance_m, rpe, rir, rest_s, tempo,
      superset_group, notes)
    select routine_copies.id, position, visible.id, exercise_name, entry.mode, sets,
      reps_min, reps_max, weight, weight_unit, time_s, distance_m, rpe, rir, rest_s, tempo,
      superset_group, notes
    from routine_copies
    join routine_exercises as entry on entry.routine_id = routine_copies.original_id
    left join exercises as visible
      on visible.id = entry.exercise_id
      and (visible.owner_id is null or visible.owner_id = routine_copies.owner_id)
  ), inserted_plans as (
    insert into plans (id, owner_id, name, description, difficulty, weeks, assigned_by,
      assigned_from_plan_id, assigned_from_version)
    select plan_id, receivers.owner_id, plan_name, description, difficulty, weeks,
      receivers.assigned_by,
      case when receivers.assigned_by is not null then original.id end,
      case when receivers.assigned_by is not null then original.version end
    from receivers
    cross join original
    returning id
  ), inserted_links as (
    insert into plan_routines (plan_id, routine_id, day, position)
    select receivers.plan_id, coalesce(routine_copies.id, link.routine_id), day, position
    -- Depends on the plans, so that a taken id violates plans_pkey and not a key of plan_routines.
    from inserted_plans
    join receivers on receivers.plan_id = inserted_plans.id
    cross join original
    join plan_routines as link on link.plan_id = original.id
    left join routine_copies
      on routine_copies.original_id = link.routine_id
      and routine_copies.owner_id = receivers.owner_id
  )`;

/** The part of a name that is kept when a number is appended to it. */
const stem = (sql: Db["sql"], name: string): Fragment => sql`rtrim(left(${sql(name)}, 92))`;

/**
 * A free name for the row of `source`: its own name, or if its owner has one in `table` with that
 * name, the name with the `nth` free number from 2. Names of the owner are taken, and for routines
 * also those of the other routines of `original`, which are copied too. The candidates are limited
 * to as many numbers as may be taken plus `nth`, since each is looked up.
 */
function freeName(sql: Db["sql"], table: "plans" | "routines"): Fragment {
  const taken = sql`from ${sql(table)} as taken where taken.owner_id = source.owner_id`;
  const siblings = sql`from original
    join plan_routines as entry on entry.plan_id = original.id
    join routines as sibling on sibling.id = entry.routine_id`;
  const prefix = sql`lower(${stem(sql, "source.name")} || ' (')`;
  const isSiblings = sql`or exists (
    select ${siblings} where lower(sibling.name) = lower(candidate.name))`;
  const siblingCount = sql`+ (
    select count(*) ${siblings} where starts_with(lower(sibling.name), ${prefix}))`;
  const isRoutine = table === "routines";
  return sql`case
    when not exists (select ${taken} and lower(taken.name) = lower(source.name)) then source.name
    else (
      select candidate.name
      from generate_series(
        2,
        1 + nth + (select count(*) ${taken} and starts_with(lower(taken.name), ${prefix}))
          ${isRoutine ? siblingCount : sql``}
      ) as n
      cross join lateral (
        select ${stem(sql, "source.name")} || ' (' || n || ')' as name
      ) as candidate
      where not (
        exists (select ${taken} and lower(taken.name) = lower(candidate.name))
        ${isRoutine ? isSiblings : sql``}
      )
      order by n offset nth - 1 limit 1
    )
  end`;
}
