import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";

/**
 * A condition on `routines`: `userId` may read the routine, because it is their own or a client's,
 * public, shared with them, or part of a plan that they may read.
 */
export const canReadRoutine = (sql: Db["sql"], userId: string): Fragment => sql`(
  routines.owner_id = ${userId} or routines.sharing = 'public'
  or routines.sharing = 'shared' and exists (
    select from grants where grants.routine_id = routines.id and grants.grantee_id = ${userId})
  or ${isClient(sql, "routines.owner_id", userId, "write_plans")}
  or exists (
    select from plan_routines join plans on plans.id = plan_routines.plan_id
    where plan_routines.routine_id = routines.id and ${canReadPlan(sql, userId)})
)`;

/**
 * A condition on `routines`: `userId` may write the routine, because it is their own or a client's,
 * or shared with them for writing.
 */
export const canWriteRoutine = (sql: Db["sql"], userId: string): Fragment => sql`(
  routines.owner_id = ${userId} or routines.sharing <> 'private' and exists (
    select from grants
    where grants.routine_id = routines.id and grants.grantee_id = ${userId}
      and grants.access = 'write')
  or ${isClient(sql, "routines.owner_id", userId, "write_plans")}
)`;

/**
 * A condition on `plans`: `userId` may read the plan, because it is their own or a client's,
 * public, or shared with them.
 */
export const canReadPlan = (sql: Db["sql"], userId: string): Fragment => sql`(
  plans.owner_id = ${userId} or plans.sharing = 'public'
  or plans.sharing = 'shared' and exists (
    select from grants where grants.plan_id = plans.id and grants.grantee_id = ${userId})
  or ${isClient(sql, "plans.owner_id", userId, "write_plans")}
)`;

/**
 * A condition on `plans`: `userId` may write the plan, because it is their own or a client's, or
 * shared with them for writing.
 */
export const canWritePlan = (sql: Db["sql"], userId: string): Fragment => sql`(
  plans.owner_id = ${userId} or plans.sharing <> 'private' and exists (
    select from grants
    where grants.plan_id = plans.id and grants.grantee_id = ${userId}
      and grants.access = 'write')
  or ${isClient(sql, "plans.owner_id", userId, "write_plans")}
)`;

const SCOPE_COLUMNS = { read_history: "can_read_history", write_plans: "can_write_plans" } as const;
type Scope = keyof typeof SCOPE_COLUMNS;

/**
 * A condition on `clients`: the client currently allows `trainerId` the scope. The client accepted
 * it, neither side ended the relation, the trainer still has the role, and the client's account is
 * active.
 */
export const clientAllows = (sql: Db["sql"], trainerId: string, scope: Scope): Fragment => sql`(
  clients.trainer_id = ${trainerId} and clients.ended_at is null
  and ${sql(`clients.${SCOPE_COLUMNS[scope]}`)}
  and exists (
    select from users join roles on roles.id = users.role_id
    where users.id = clients.trainer_id and roles.slug = 'fitness-trainer')
  and exists (select from users where users.id = clients.client_id and users.is_active)
)`;

/** A condition: the user in the column `owner` is a client who currently allows the scope. */
export const isClient = (
  sql: Db["sql"],
  owner: string,
  trainerId: string,
  scope: Scope,
): Fragment => sql`exists (
  select from clients
  where clients.client_id = ${sql(owner)} and ${clientAllows(sql, trainerId, scope)})`;

/** Whether `userId` may currently write the routine; false if it does not exist. */
export async function mayWriteRoutine(
  { sql }: Db,
  userId: string,
  routineId: string,
): Promise<boolean> {
  const rows = await sql`
    select from routines where id = ${routineId} and ${canWriteRoutine(sql, userId)}`;
  return rows.length > 0;
}

/** Whether `userId` may currently write the plan; false if it does not exist. */
export async function mayWritePlan({ sql }: Db, userId: string, planId: string): Promise<boolean> {
  const rows = await sql`select from plans where id = ${planId} and ${canWritePlan(sql, userId)}`;
  return rows.length > 0;
}

/** Those rows of `clients` in `ids` that currently allow `trainerId` the scope, in no order. */
export async function listClientsAllowing(
  { sql }: Db,
  trainerId: string,
  ids: string[],
  scope: Scope,
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from clients
    where id = any (${ids}::uuid[]) and ${clientAllows(sql, trainerId, scope)}`;
  return rows.map(({ id }) => id);
}
