import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import { deleteGrant, findGrantJson, insertGrant, updateGrant } from "./grants.queries.ts";

const grantNotFound = () => new AppError("not_found", "grants.not_found", "Grant not found");

type NewGrant = { routineId?: string; planId?: string; email: string; access: "read" | "write" };

/**
 * Lets somebody read or write a routine or plan of the actor's own, and returns the grant as JSON;
 * it holds from the next request on. Throws invalid unless exactly one thing is named, or for
 * oneself; not_found for what is not the actor's, and for an address that has no active account;
 * conflict (`grants.exists`).
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
    const made = await insertGrant(tx, actor.userId, subject, email, access);
    if (!made.subject) {
      const what = routineId === undefined ? "Plan" : "Routine";
      throw new AppError("not_found", `${what.toLowerCase()}s.not_found`, `${what} not found`);
    }
    if (!made.grantee) throw new AppError("not_found", "users.not_found", "User not found");
    return (await findGrantJson(tx, actor.userId, made.id as string)) as string;
  });
}

/**
 * Changes what a grant of the actor's allows, and returns it as JSON. Throws not_found for anyone
 * else's.
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
 * Ends a grant that the actor gave or was given; it ends with the next request. Throws not_found
 * for anyone else's.
 */
export async function endGrant(db: Db, actor: Actor, grantId: string): Promise<void> {
  if (!(await deleteGrant(db, actor.userId, grantId))) throw grantNotFound();
}
