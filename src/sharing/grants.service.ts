import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import { deleteGrant, findGrantJson, insertGrant, updateGrant } from "./grants.queries.ts";

const grantNotFound = () => new AppError("not_found", "grants.not_found", "Grant not found");

/** The error if neither a routine nor a plan of the actor has the given id. */
export function subjectNotFound(routineId: string | undefined): AppError {
  const subject = routineId === undefined ? "Plan" : "Routine";
  return new AppError("not_found", `${subject.toLowerCase()}s.not_found`, `${subject} not found`);
}

type NewGrant = { routineId?: string; planId?: string; email: string; access: "read" | "write" };

/**
 * Lets another user read or write one of the actor's routines or plans from the next request on,
 * and returns the grant as JSON. Throws invalid unless exactly one of the ids is given, and for the
 * actor's own email; not_found for other owners' routines and plans, and for an email without an
 * active account; conflict (`grants.exists`).
 */
export async function grantAccess(
  db: Db,
  actor: Actor,
  { routineId, planId, email, access }: NewGrant,
): Promise<string> {
  if ((routineId === undefined) === (planId === undefined)) {
    throw new AppError("invalid", "grants.ambiguous_subject", "Name either a routine or a plan");
  }
  if (email === actor.email) {
    throw new AppError("invalid", "grants.oneself", "What is yours needs no grant to you");
  }
  const subject = { routineId: routineId ?? null, planId: planId ?? null };
  return db.transaction(async (tx) => {
    const inserted = await insertGrant(tx, actor.userId, subject, email, access);
    if (!inserted.hasSubject) throw subjectNotFound(routineId);
    if (!inserted.hasGrantee) throw new AppError("not_found", "users.not_found", "User not found");
    return (await findGrantJson(tx, actor.userId, inserted.id as string)) as string;
  });
}

/**
 * Changes the permission of a grant by the actor and returns the grant as JSON. Throws not_found
 * for others.
 */
export async function changeGrant(
  db: Db,
  actor: Actor,
  grantId: string,
  access: "read" | "write",
): Promise<string> {
  if (!(await updateGrant(db, actor.userId, grantId, access))) throw grantNotFound();
  return (await findGrantJson(db, actor.userId, grantId)) as string;
}

/**
 * Revokes a grant by or to the actor from the next request on. Throws not_found for other users'
 * grants.
 */
export async function revokeGrant(db: Db, actor: Actor, grantId: string): Promise<void> {
  if (!(await deleteGrant(db, actor.userId, grantId))) throw grantNotFound();
}
