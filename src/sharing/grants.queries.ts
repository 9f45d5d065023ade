import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";

/** The shared routine or plan: exactly one of the ids is set. */
export type GrantSubject = { routineId: string | null; planId: string | null };

/** The id of the grant, and whether the subject and the grantee exist; null unless both do. */
export type InsertedGrant = { id: string | null; hasSubject: boolean; hasGrantee: boolean };

/**
 * Lets the active account of `email` read or write a routine or plan of `ownerId`, which becomes
 * shared if it was private. Breaks `grants_routine_grantee_unique`, `grants_plan_grantee_unique`,
 * `grants_not_oneself_check`. One statement.
 */
export async function insertGrant(
  { sql }: Db,
  ownerId: string,
  { routineId, planId }: GrantSubject,
  email: string,
  access: string,
): Promise<InsertedGrant> {
  const [grant] = await sql<InsertedGrant[]>`
    with routine as (
      update routines set sharing = case sharing when 'private' then 'shared' else sharing end,
        version = version + (sharing = 'private')::int
      where id = ${routineId}::uuid and owner_id = ${ownerId}
      returning id
    ), plan as (
      update plans set sharing = case sharing when 'private' then 'shared' else sharing end,
        version = version + (sharing = 'private')::int
      where id = ${planId}::uuid and owner_id = ${ownerId}
      returning id
    ), grantee as (
      select id from users where lower(email) = lower(${email}) and is_active
    ), inserted as (
      insert into grants (owner_id, grantee_id, routine_id, plan_id, access)
      select ${ownerId}::uuid, grantee.id, (select id from routine), (select id from plan),
        ${access}
      from grantee
      where exists (select from routine) or exists (select from plan)
      returning id
    )
    select (select id from inserted) as id,
      exists (select from routine) or exists (select from plan) as "hasSubject",
      exists (select from grantee) as "hasGrantee"`;
  return grant as InsertedGrant;
}

/** A grant by or to `userId` as JSON. */
export async function findGrantJson(
  { sql }: Db,
  userId: string,
  grantId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select row_to_json(found)::text as json from (
      ${selectGrants(sql)}
      where grants.id = ${grantId} and (grants.owner_id = ${userId} or grantee_id = ${userId})
    ) as found`;
  return row?.json;
}

/** Grants given or received by `userId`, the latest first, at most 1,000, as a JSON array. */
export async function listGrantsJson(
  { sql }: Db,
  userId: string,
  direction: "given" | "received",
): Promise<string> {
  const column = direction === "given" ? "grants.owner_id" : "grantee_id";
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(listed)::text, ','), '') || ']' as json
    from (
      ${selectGrants(sql)}
      where ${sql(column)} = ${userId}
      order by grants.id desc limit 1000
    ) as listed`;
  return row?.json ?? "[]";
}

/** Changes the permission of a grant by `ownerId`; false if there is no such grant. */
export async function updateGrant(
  { sql }: Db,
  ownerId: string,
  grantId: string,
  access: string,
): Promise<boolean> {
  const { count } = await sql`
    update grants set access = ${access} where id = ${grantId} and owner_id = ${ownerId}`;
  return count > 0;
}

/** Deletes a grant by or to `userId`; false if there is no such grant. */
export async function deleteGrant({ sql }: Db, userId: string, grantId: string): Promise<boolean> {
  const { count } = await sql`
    delete from grants where id = ${grantId} and (owner_id = ${userId} or grantee_id = ${userId})`;
  return count > 0;
}

const person = (sql: Db["sql"], alias: string): Fragment => sql`
  json_build_object('id', ${sql(`${alias}.id`)}, 'name', ${sql(`${alias}.name`)},
    'email', ${sql(`${alias}.email`)})`;

const selectGrants = (sql: Db["sql"]): Fragment => sql`
  select grants.id, ${person(sql, "owners")} as owner, ${person(sql, "grantees")} as grantee,
    grants.routine_id as "routineId", grants.plan_id as "planId",
    coalesce(routines.name, plans.name) as name, access,
    ${instant(sql, "grants.created_at")} as "createdAt"
  from grants
  join users as owners on owners.id = grants.owner_id
  join users as grantees on grantees.id = grantee_id
  left join routines on routines.id = grants.routine_id
  left join plans on plans.id = grants.plan_id`;
