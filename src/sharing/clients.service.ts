import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import { endClient, insertClient, lockInvitation, updateScopes } from "./clients.queries.ts";
import type { NewClient, Scopes } from "./clients.schemas.ts";

export const clientNotFound = () =>
  new AppError("not_found", "clients.not_found", "Client not found");

/**
 * Invites a user to become the actor's client, and returns the invitation as JSON. It allows
 * nothing until it is accepted. Throws invalid for the actor's own email; not_found for an email
 * without an active account; conflict (`clients.exists`).
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
 * Accepts an invitation for `scopes`, or for all that it asks for, and returns it as JSON. Throws
 * not_found unless it is to the actor and has not ended; invalid for scopes that it does not ask
 * for; conflict (`clients.accepted`).
 */
export function acceptTrainer(
  db: Db,
  actor: Actor,
  clientId: string,
  scopes: Scopes | undefined,
): Promise<string> {
  return setScopes(db, actor, clientId, scopes, (isAccepted) => {
    if (isAccepted)
      throw new AppError("conflict", "clients.accepted", "You have accepted this trainer already");
  });
}

/**
 * Changes what an accepted trainer may do from the next request on. Throws as `acceptTrainer`, but
 * conflict (`clients.not_accepted`) before acceptance.
 */
export function changeScopes(
  db: Db,
  actor: Actor,
  clientId: string,
  scopes: Scopes,
): Promise<string> {
  return setScopes(db, actor, clientId, scopes, (isAccepted) => {
    if (!isAccepted)
      throw new AppError("conflict", "clients.not_accepted", "Accept this trainer first");
  });
}

/**
 * Leaves a trainer from the next request on, or declines an invitation. Throws not_found unless it
 * is to the actor and has not ended.
 */
export async function leaveTrainer(db: Db, actor: Actor, clientId: string): Promise<void> {
  if (!(await endClient(db, "client", actor.userId, clientId))) throw clientNotFound();
}

/** Removes a client, or withdraws an invitation. Throws as `leaveTrainer`. */
export async function removeClient(db: Db, actor: Actor, clientId: string): Promise<void> {
  if (!(await endClient(db, "trainer", actor.userId, clientId))) throw clientNotFound();
}

function setScopes(
  db: Db,
  actor: Actor,
  clientId: string,
  scopes: Scopes | undefined,
  checkStatus: (isAccepted: boolean) => void,
): Promise<string> {
  return db.transaction(async (tx) => {
    const invitation = await lockInvitation(tx, actor.userId, clientId);
    if (!invitation) throw clientNotFound();
    checkStatus(invitation.isAccepted);
    return updateScopes(tx, clientId, scopes);
  });
}
