import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import { endClient, insertClient, lockInvitation, updateScopes } from "./clients.queries.ts";
import type { NewClient, Scopes } from "./clients.schemas.ts";

export const clientNotFound = () =>
  new AppError("not_found", "clients.not_found", "Client not found");

/**
 * Asks somebody to become the actor's client, and returns the invitation as JSON: it allows nothing
 * until it is accepted. Throws invalid for oneself; not_found for an address that has no active
 * account; conflict (`clients.exists`).
 */
export async function inviteClient(
  db: Db,
  actor: Actor,
  { email, scopes }: NewClient,
): Promise<string> {
  if (email === actor.email) {
    throw new AppError("invalid", "clients.oneself", "You cannot be your own client");
  }
  const json = await insertClient(db, actor.userId, email, scopes);
  if (json === undefined) throw new AppError("not_found", "users.not_found", "User not found");
  return json;
}

/**
 * Allows an invitation's trainer `scopes`, or all that they asked for, and returns it as JSON.
 * Throws not_found unless it is the actor's and has not ended; invalid beyond what was asked for;
 * conflict (`clients.accepted`).
 */
export function acceptTrainer(
  db: Db,
  actor: Actor,
  clientId: string,
  scopes: Scopes | undefined,
): Promise<string> {
  return allow(db, actor, clientId, scopes, (isAccepted) => {
    if (isAccepted)
      throw new AppError("conflict", "clients.accepted", "You have accepted this trainer already");
  });
}

/**
 * Changes what an accepted trainer may do; holds from the next request on. Throws as accepting,
 * conflict before it.
 */
export function changeScopes(
  db: Db,
  actor: Actor,
  clientId: string,
  scopes: Scopes,
): Promise<string> {
  return allow(db, actor, clientId, scopes, (isAccepted) => {
    if (!isAccepted)
      throw new AppError("conflict", "clients.not_accepted", "Accept this trainer first");
  });
}

/**
 * Ends it as the client, or declines; holds from the next request on. Throws not_found for anyone
 * else's and when over.
 */
export async function endAsClient(db: Db, actor: Actor, clientId: string): Promise<void> {
  if (!(await endClient(db, "client", actor.userId, clientId))) throw clientNotFound();
}

/** Ends it as the trainer, or takes the invitation back. Throws as `endAsClient`. */
export async function endAsTrainer(db: Db, actor: Actor, clientId: string): Promise<void> {
  if (!(await endClient(db, "trainer", actor.userId, clientId))) throw clientNotFound();
}

function allow(
  db: Db,
  actor: Actor,
  clientId: string,
  scopes: Scopes | undefined,
  requireFitting: (isAccepted: boolean) => void,
): Promise<string> {
  return db.transaction(async (tx) => {
    const stored = await lockInvitation(tx, actor.userId, clientId);
    if (!stored) throw clientNotFound();
    requireFitting(stored.isAccepted);
    return updateScopes(tx, clientId, scopes);
  });
}
