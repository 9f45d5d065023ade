import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { planRoutinesJson } from "../plans/plans.queries.ts";
import { routineExercisesJson } from "../routines/routines.queries.ts";
import type { GrantSubject } from "./grants.queries.ts";
import type { Link } from "./links.schemas.ts";

/**
 * Links a routine or plan of `ownerId`, and returns the link; undefined for anyone else's. One
 * statement.
 */
export async function insertLink(
  { sql }: Db,
  ownerId: string,
  { routineId, planId }: GrantSubject,
  tokenHash: Uint8Array,
): Promise<Link | undefined> {
  const [made] = await sql<Link[]>`
    with subject as (
      select id as routine_id, null::uuid as plan_id from routines where id = ${routineId}::uuid and owner_id = ${ownerId}
      union all
      select null::uuid, id from plans where id = ${planId}::uuid and owner_id = ${ownerId}
    ), made as (
      insert into links (owner_id, routine_id, plan_id, token_hash)
      select ${ownerId}::uuid, routine_id, plan_id, ${tokenHash} from subject returning *
    )
    select ${linkFields(sql)} from made as links ${subjects(sql)}`;
  return made;
}

/** The links of `ownerId`, the latest first, at most 1,000, as a JSON array. */
export async function listLinksJson({ sql }: Db, ownerId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(shown)::text, ','), '') || ']' as json from (
      select ${linkFields(sql)} from links ${subjects(sql)} where links.owner_id = ${ownerId}
      order by links.id desc limit 1000
    ) as shown`;
  return row?.json ?? "[]";
}

/** Ends a link of `ownerId`; false when there is none. */
export async function deleteLink({ sql }: Db, ownerId: string, linkId: string): Promise<boolean> {
  const gone = await sql`delete from links where id = ${linkId} and owner_id = ${ownerId}`;
  return gone.count > 0;
}

/**
 * What the link of that token shows, as JSON, with nothing about persons; undefined when there is
 * no such link, or its owner's account is not active. One statement.
 */
export async function findLinkedJson(
  { sql }: Db,
  tokenHash: Uint8Array,
): Promise<string | undefined> {
  const catalogOnly = sql`(select exercises.id from exercises where exercises.id = exercise_id and owner_id is null)`;
  const [row] = await sql<{ json: string }[]>`
    select json_build_object('plan', (
      select row_to_json(shown) from (
        select plans.id, name, description, difficulty, weeks, ${instant(sql, "plans.updated_at")} as "updatedAt",
          ${planRoutinesJson(sql)} as routines
        from plans where plans.id = links.plan_id
      ) as shown
    ), 'routines', (
      select coalesce(json_agg(row_to_json(shown) order by lower(shown.name), shown.id), '[]') from (
        select routines.id, name, description, ${instant(sql, "routines.updated_at")} as "updatedAt",
          ${routineExercisesJson(sql, catalogOnly)} as exercises
        from routines where routines.id = links.routine_id
          or routines.id in (select routine_id from plan_routines where plan_id = links.plan_id)
      ) as shown
    ))::text as json
    from links join users on users.id = links.owner_id where token_hash = ${tokenHash} and users.is_active`;
  return row?.json;
}

const subjects = (sql: Db["sql"]): Fragment =>
  sql`left join routines on routines.id = links.routine_id left join plans on plans.id = links.plan_id`;

const linkFields = (sql: Db["sql"]): Fragment => sql`
  links.id, links.routine_id as "routineId", links.plan_id as "planId", coalesce(routines.name, plans.name) as name,
  ${instant(sql, "links.created_at")} as "createdAt"`;
