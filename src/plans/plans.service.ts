import type { Db } from "#db/client.ts";
import { translateViolations } from "#db/errors.ts";
import { AppError, idsNotFound, listOfIds } from "#lib/errors.ts";
import type { Precondition } from "../http/if-match.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockPlan, lockRoutineNames } from "../permissions/parent-locks.queries.ts";
import { listClientsAllowing, mayWritePlan } from "../permissions/visibility.queries.ts";
import { assignPlan, copyPlan } from "./plan-copies.queries.ts";
import {
  deletePlan,
  findPlanJson,
  insertPlan,
  type PlanEntry,
  type PlanWrite,
  updatePlan,
} from "./plans.queries.ts";
import type { NewPlan, PlanPatch } from "./plans.schemas.ts";

const planNotFound = () => new AppError("not_found", "plans.not_found", "Plan not found");

/** The plan as JSON. Throws not_found unless it is the actor's, public, or shared with them. */
export async function getPlan(db: Db, actor: Actor, planId: string): Promise<string> {
  const json = await findPlanJson(db, actor.userId, planId);
  if (json === undefined) throw planNotFound();
  return json;
}

/**
 * Creates a plan of the actor and returns it as JSON. Throws not_found for routines that are not
 * the actor's, conflict (`plans.name_taken`, `plans.id_taken`).
 */
export function createPlan(db: Db, actor: Actor, { routines, ...plan }: NewPlan): Promise<string> {
  return translate(plan.name, () =>
    db.transaction(async (tx) => {
      const entries = entriesOf(routines);
      const id = requireWritten(await insertPlan(tx, actor.userId, plan, entries), entries);
      return getPlan(tx, actor, id);
    }),
  );
}

/**
 * Changes a plan, replaces its routines if they are given, and returns it as JSON. The owner and
 * users who may write it can change it; only the owner can change its sharing. Throws what
 * `createPlan` throws, not_found, forbidden, and stale as `precondition` says.
 */
export function changePlan(
  db: Db,
  actor: Actor,
  planId: string,
  { routines, ...columns }: PlanPatch,
  precondition: Precondition,
): Promise<string> {
  const entries = routines && entriesOf(routines);
  return translate(columns.name ?? "", () =>
    db.transaction(async (tx) => {
      const routineIds = entries?.map(({ routineId }) => routineId);
      if (routineIds) await lockRoutineNames(tx, routineIds);
      const stored = await lockPlan(tx, actor.userId, planId);
      if (!stored) throw planNotFound();
      await precondition(stored.version, () => getPlan(tx, actor, planId));
      if (columns.sharing !== undefined && !stored.isOwner) {
        throw new AppError("forbidden", "plans.not_owner", "Only the owner shares a plan");
      }
      if (!entries && Object.keys(columns).length === 0) return getPlan(tx, actor, planId);
      const plan = { id: planId, ownerId: stored.ownerId };
      requireWritten(await updatePlan(tx, actor.userId, plan, columns, entries), entries);
      return getPlan(tx, actor, planId);
    }),
  );
}

/** Throws not_found unless the actor may currently write the plan. */
export async function requirePlanWritable(db: Db, actor: Actor, planId: string): Promise<void> {
  if (!(await mayWritePlan(db, actor.userId, planId))) throw planNotFound();
}

/**
 * Copies a plan that the actor may read, and those of its routines that are not theirs, into their
 * account and returns it as JSON. Throws not_found, and conflict as `createPlan` does.
 */
export function clonePlan(
  db: Db,
  actor: Actor,
  planId: string,
  copy: { id?: string; name?: string },
): Promise<string> {
  return translate(copy.name ?? "", () =>
    db.transaction(async (tx) => {
      const id = await copyPlan(tx, actor.userId, planId, copy);
      if (id === undefined) throw planNotFound();
      return getPlan(tx, actor, id);
    }),
  );
}

/**
 * Copies a plan of the actor, with its routines, into the account of each client, and returns the
 * id of each client's copy as JSON. All or nothing: throws not_found for a plan that is not the
 * actor's and for clients who do not let the actor write their plans, and conflict if a name was
 * taken at the same time.
 */
export function assignToClients(
  db: Db,
  actor: Actor,
  planId: string,
  clientIds: string[],
): Promise<string> {
  // An owner whose account was deleted meanwhile is one of the clients here, not the actor.
  const clientGone = () => new AppError("not_found", "clients.not_found", "Client not found");
  const errors = { plans_owner_id_fkey: clientGone, routines_owner_id_fkey: clientGone };
  return translateViolations(errors, () =>
    translate("", async () => {
      const { isFound, missing, json } = await assignPlan(db, actor.userId, planId, clientIds);
      if (!isFound) throw planNotFound();
      requireNoneMissing(clientIds, missing);
      return json;
    }),
  );
}

/** Throws not_found unless all of the clients currently let the actor write their plans. */
export async function requireAssignable(db: Db, actor: Actor, clientIds: string[]): Promise<void> {
  const allowing = new Set(await listClientsAllowing(db, actor.userId, clientIds, "write_plans"));
  const missing = clientIds.filter((id) => !allowing.has(id));
  requireNoneMissing(clientIds, missing);
}

/**
 * Deletes a plan of the actor but not its routines. Throws not_found, and stale as `precondition`
 * says.
 */
export function removePlan(
  db: Db,
  actor: Actor,
  planId: string,
  precondition: Precondition,
): Promise<void> {
  return db.transaction(async (tx) => {
    const stored = await lockPlan(tx, actor.userId, planId);
    if (!stored?.isOwner) throw planNotFound();
    await precondition(stored.version, () => getPlan(tx, actor, planId));
    await deletePlan(tx, planId);
  });
}

/** Adds positions, from 1 on each day, in the given order. Throws invalid for too many in a day. */
function entriesOf(routines: NewPlan["routines"]): PlanEntry[] {
  const counts = new Map<number, number>();
  return routines.map(({ routineId, day }) => {
    const position = (counts.get(day) ?? 0) + 1;
    counts.set(day, position);
    if (position > MAX_ROUTINES_PER_DAY) {
      const message = `A day has at most ${MAX_ROUTINES_PER_DAY} routines`;
      const errors = [{ field: "/routines", code: "too_many", message }];
      throw new AppError("invalid", "invalid_request", "The plan does not fit", { errors });
    }
    return { routineId, day, position };
  });
}

const MAX_ROUTINES_PER_DAY = 50;

function requireNoneMissing(clientIds: string[], missing: string[]) {
  if (missing.length === 0) return;
  const fields = clientIds.map((id, index) => ({ field: `/clientIds/${index}`, id }));
  const detail = `Clients not found: ${listOfIds(missing)}`;
  throw idsNotFound("clients.not_found", detail, missing, fields);
}

/** The id of the written plan. Throws not_found if nothing was written. */
function requireWritten({ id, missing }: PlanWrite, entries: PlanEntry[] = []): string {
  if (missing.length > 0) {
    const fields = entries.map(({ routineId }, index) => ({
      field: `/routines/${index}/routineId`,
      id: routineId,
    }));
    const detail = `Routines not found: ${listOfIds(missing.sort())}`;
    throw idsNotFound("plans.routine_not_found", detail, missing, fields);
  }
  if (id === null) throw planNotFound();
  return id;
}

function translate<T>(name: string, work: () => Promise<T>): Promise<T> {
  const plan = `a plan with ${name ? `the name '${name}'` : "this name"}`;
  const routineTaken = "A routine of this name came at the same time: try again";
  const errors = {
    plans_owner_name_unique: () =>
      new AppError("conflict", "plans.name_taken", `You already have ${plan}`),
    routines_owner_name_unique: () => new AppError("conflict", "routines.name_taken", routineTaken),
  };
  return translateViolations(errors, work);
}
