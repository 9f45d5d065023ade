import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { planRoutinesJson } from "../plans/plans.queries.ts";
import { routineExercisesJson } from "../routines/routines.queries.ts";
import type { GrantSubject } from "./grants.queries.ts";
import type { Link } from "./links.schemas.ts";

/**
 * Inserts a link to a routine or plan of `ownerId`, and returns it; undefined for other owners'.
 * One statement.
 */
export async function insertLink(
  { sql }: Db,
  ownerId: string,
  { routineId, planId }: GrantSubject,
  tokenHash: Uint8Array,
): Promise<Link | undefined> {
  const [link] = await sql<Link[]>`
    with subject as (
      select id as routine_id, null::uuid as plan_id from routines
      where id = ${routineId}::uuid and owner_id = ${ownerId}
      union all
      select null::uuid, id from plans
      where id = ${planId}::uuid and owner_id = ${ownerId}
    ), inserted as (
      insert into links (owner_id, routine_id, plan_id, token_hash)
      select ${ownerId}::uuid, routine_id, plan_id, ${tokenHash} from subject
      returning *
    )
    select ${linkFields(sql)} from inserted as links ${joinSubjects(sql)}`;
  return link;
}

/** The links of `ownerId`, the latest first, at most 1,000, as a JSON array. */
export async function listLinksJson({ sql }: Db, ownerId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(listed)::text, ','), '') || ']' as json
    from (
      select ${linkFields(sql)} from links ${joinSubjects(sql)}
      where links.owner_id = ${ownerId}
      order by links.id desc limit 1000
    ) as listed`;
  return row?.json ?? "[]";
}

/** Deletes a link of `ownerId`; false if there is no such link. */
export async function deleteLink({ sql }: Db, ownerId: string, linkId: string): Promise<boolean> {
  const { count } = await sql`
    delete from links where id = ${linkId} and owner_id = ${ownerId}`;
  return count > 0;
}

/**
 * The routine, or the plan with its routines, of the link with this token, as JSON without personal
 * data. Undefined if there is no such link, or its owner's account is not active. One statement.
 */
export async function findLinkedJson(
  { sql }: Db,
  tokenHash: Uint8Array,
): Promise<string | undefined> {
  const systemExerciseId = sql`(
    select exercises.id from exercises where exercises.id = exercise_id and owner_id is null
  )`;
  const [row] = await sql<{ json: string }[]>`
    select json_build_object('plan', (
      select row_to_json(plan) from (
        select plans.id, name, description, difficulty, weeks,
          ${instant(sql, "plans.updated_at")} as "updatedAt", ${planRoutinesJson(sql)} as routines
        from plans where plans.id = links.plan_id
      ) as plan
    ), 'routines', (
      select coalesce(json_agg(row_to_json(routine) order by lower(routine.name), routine.id), '[]')
      from (
        select routines.id, name, description,
          ${instant(sql, "routines.updated_at")} as "updatedAt",
          ${routineExercisesJson(sql, systemExerciseId)} as exercises
        from routines
        where routines.id = links.routine_id
          or routines.id in (select routine_id from plan_routines where plan_id = links.plan_id)
      ) as routine
    ))::text as json
    from links join users on users.id = links.owner_id
    where token_hash = ${tokenHash} and users.is_active`;
  return row?.json;
}

const joinSubjects = (sql: Db["sql"]): Fragment => sql`
  left join routines on routines.id = links.routine_id
  left join plans on plans.id = links.plan_id`;

const linkFields = (sql: Db["sql"]): Fragment => sql`
  links.id, links.routine_id as "routineId", links.plan_id as "planId",
  coalesce(routines.name, plans.name) as name,
  ${instant(sql, "links.created_at")} as "createdAt"`;
