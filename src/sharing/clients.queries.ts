import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { clientAllows } from "../permissions/visibility.queries.ts";
import type { ListClients, Scopes } from "./clients.schemas.ts";

/**
 * Invites the active account of `email`, and returns the invitation as JSON; undefined if there is
 * no such account. Breaks `clients_live_pair_unique`, `clients_not_oneself_check`. One
 * statement.
 */
export async function insertClient(
  { sql }: Db,
  trainerId: string,
  email: string,
  scopes: Scopes,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    with inserted as (
      insert into clients (trainer_id, client_id, asks_read_history, asks_write_plans)
      select ${trainerId}::uuid, id, ${scopes.includes("read_history")},
        ${scopes.includes("write_plans")}
      from users
      where lower(email) = lower(${email}) and is_active
      returning *
    )
    select ${clientJson(sql)} as json from inserted as clients ${joinPersons(sql)}`;
  return row?.json;
}

/** Invitations by `trainerId`, the latest first, at most 1,000, as a JSON array. */
export const listClientsJson = (
  { sql }: Db,
  trainerId: string,
  { status }: ListClients,
): Promise<string> => listJson(sql, sql`trainer_id = ${trainerId}`, status);

/** Invitations to `clientId`, the latest first, at most 1,000, as a JSON array. */
export const listTrainersJson = (
  { sql }: Db,
  clientId: string,
  { status }: ListClients,
): Promise<string> => listJson(sql, sql`client_id = ${clientId}`, status);

/**
 * Locks an invitation to `userId`, accepted or not; undefined for other users' and for one that has
 * ended.
 */
export async function lockInvitation(
  { sql }: Db,
  userId: string,
  clientId: string,
): Promise<{ isAccepted: boolean } | undefined> {
  const [locked] = await sql<{ isAccepted: boolean }[]>`
    select accepted_at is not null as "isAccepted" from clients
    where id = ${clientId} and client_id = ${userId} and ended_at is null
    for no key update`;
  return locked;
}

/**
 * Sets the allowed scopes (undefined: all that the invitation asks for), accepts the invitation if
 * it was not accepted before, and returns it as JSON. Breaks `clients_within_asked_check`. One
 * statement.
 */
export async function updateScopes(
  { sql }: Db,
  clientId: string,
  scopes: Scopes | undefined,
): Promise<string> {
  const canReadHistory = scopes?.includes("read_history") ?? null;
  const canWritePlans = scopes?.includes("write_plans") ?? null;
  const [row] = await sql<{ json: string }[]>`
    with updated as (
      update clients set can_read_history = coalesce(${canReadHistory}, asks_read_history),
        can_write_plans = coalesce(${canWritePlans}, asks_write_plans),
        accepted_at = coalesce(accepted_at, clock_timestamp())
      where id = ${clientId}
      returning *
    )
    select ${clientJson(sql)} as json from updated as clients ${joinPersons(sql)}`;
  return (row as { json: string }).json;
}

/**
 * Ends an invitation, accepted or not, in which `userId` has the role `side`; false if there is no
 * such one that has not ended.
 */
export async function endClient(
  { sql }: Db,
  side: "trainer" | "client",
  userId: string,
  clientId: string,
): Promise<boolean> {
  const { count } = await sql`
    update clients set ended_at = clock_timestamp()
    where id = ${clientId} and ${sql(`${side}_id`)} = ${userId} and ended_at is null`;
  return count > 0;
}

/** The user id of a client who lets `trainerId` read their history at present, or undefined. */
export async function findReadableClient(
  { sql }: Db,
  trainerId: string,
  clientId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ userId: string }[]>`
    select client_id as "userId" from clients
    where clients.id = ${clientId} and ${clientAllows(sql, trainerId, "read_history")}`;
  return row?.userId;
}

async function listJson(
  sql: Db["sql"],
  condition: Fragment,
  status: ListClients["status"],
): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(json, ',' order by id desc), '') || ']' as json
    from (
      select clients.id, ${clientJson(sql)} as json from clients ${joinPersons(sql)}
      where ${condition}
        and (${status ?? null}::text is null or ${statusOf(sql)} = ${status ?? null})
      order by clients.id desc limit 1000
    ) as listed`;
  return row?.json ?? "[]";
}

const statusOf = (sql: Db["sql"]): Fragment => sql`
  case
    when ended_at is not null then 'ended'
    when accepted_at is not null then 'accepted'
    else 'invited'
  end`;

const joinPersons = (sql: Db["sql"]): Fragment => sql`
  join users as trainers on trainers.id = trainer_id
  join users as persons on persons.id = client_id`;

const scopesJson = (sql: Db["sql"], verb: "asks" | "can"): Fragment => sql`
  to_json(array_remove(array[
    case when ${sql(`${verb}_read_history`)} then 'read_history' end,
    case when ${sql(`${verb}_write_plans`)} then 'write_plans' end
  ], null))`;

/** Before acceptance, a client's name is hidden from the trainer, who knows only the email. */
const clientJson = (sql: Db["sql"]): Fragment => sql`
  json_build_object(
    'id', clients.id,
    'status', ${statusOf(sql)},
    'trainer', json_build_object(
      'id', trainers.id, 'name', trainers.name, 'email', trainers.email),
    'client', json_build_object(
      'id', persons.id,
      'name', case when accepted_at is not null then persons.name end,
      'email', persons.email),
    'askedScopes', ${scopesJson(sql, "asks")},
    'scopes', ${scopesJson(sql, "can")},
    'invitedAt', ${instant(sql, "invited_at")},
    'acceptedAt', ${instant(sql, "accepted_at")},
    'endedAt', ${instant(sql, "ended_at")}
  )::text`;
