import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";

/**
 * Whether `userId` may read the row of `routines`: their own or a client's, one that is public, one
 * that is shared with them, or one that stands in a plan which is.
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
 * Whether `userId` may write the row of `routines`: their own or a client's, or one that is shared
 * with them for writing.
 */
export const canWriteRoutine = (sql: Db["sql"], userId: string): Fragment => sql`(
  routines.owner_id = ${userId} or routines.sharing <> 'private' and exists (
    select from grants
    where grants.routine_id = routines.id and grants.grantee_id = ${userId} and grants.access = 'write')
  or ${isClient(sql, "routines.owner_id", userId, "write_plans")}
)`;

/**
 * Whether `userId` may read the row of `plans`: their own or a client's, one that is public, or one
 * that is shared with them.
 */
export const canReadPlan = (sql: Db["sql"], userId: string): Fragment => sql`(
  plans.owner_id = ${userId} or plans.sharing = 'public'
  or plans.sharing = 'shared' and exists (
    select from grants where grants.plan_id = plans.id and grants.grantee_id = ${userId})
  or ${isClient(sql, "plans.owner_id", userId, "write_plans")}
)`;

/**
 * Whether `userId` may write the row of `plans`: their own or a client's, or one that is shared
 * with them for writing.
 */
export const canWritePlan = (sql: Db["sql"], userId: string): Fragment => sql`(
  plans.owner_id = ${userId} or plans.sharing <> 'private' and exists (
    select from grants where grants.plan_id = plans.id and grants.grantee_id = ${userId} and grants.access = 'write')
  or ${isClient(sql, "plans.owner_id", userId, "write_plans")}
)`;

const SCOPE_COLUMNS = { read_history: "can_read_history", write_plans: "can_write_plans" } as const;
type Scope = keyof typeof SCOPE_COLUMNS;

/**
 * Whether the row of `clients` lets `trainerId` do what `scope` says at present: the client
 * accepted it, neither ended it, the one is a trainer still, and the other's account is active.
 * Nothing is allowed by a row that was not accepted.
 */
export const isAllowed = (sql: Db["sql"], trainerId: string, scope: Scope): Fragment => sql`(
  clients.trainer_id = ${trainerId} and clients.ended_at is null and ${sql(`clients.${SCOPE_COLUMNS[scope]}`)}
  and exists (
    select from users join roles on roles.id = users.role_id
    where users.id = clients.trainer_id and roles.slug = 'fitness-trainer')
  and exists (select from users where users.id = clients.client_id and users.is_active)
)`;

/**
 * Whether `owner`, a column, is a client of `trainerId` who allows what `scope` says at present.
 */
export const isClient = (
  sql: Db["sql"],
  owner: string,
  trainerId: string,
  scope: Scope,
): Fragment => sql`exists (
  select from clients where clients.client_id = ${sql(owner)} and ${isAllowed(sql, trainerId, scope)})`;

/** Whether `userId` may currently write the routine; false if there is none with that id. */
export async function mayWriteRoutine(
  { sql }: Db,
  userId: string,
  routineId: string,
): Promise<boolean> {
  const found =
    await sql`select from routines where id = ${routineId} and ${canWriteRoutine(sql, userId)}`;
  return found.length > 0;
}

/** Whether `userId` may currently write the plan; false if there is none with that id. */
export async function mayWritePlan({ sql }: Db, userId: string, planId: string): Promise<boolean> {
  const found = await sql`select from plans where id = ${planId} and ${canWritePlan(sql, userId)}`;
  return found.length > 0;
}

/**
 * Which of the given rows of `clients` let `trainerId` do what `scope` says at present, in no
 * order.
 */
export async function listAllowing(
  { sql }: Db,
  trainerId: string,
  ids: string[],
  scope: Scope,
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from clients where id = any (${ids}::uuid[]) and ${isAllowed(sql, trainerId, scope)}`;
  return rows.map(({ id }) => id);
}
