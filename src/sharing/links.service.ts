import { createHash, randomBytes } from "node:crypto";
import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import { subjectNotFound } from "./grants.service.ts";
import { deleteLink, findLinkedJson, insertLink } from "./links.queries.ts";
import type { Link, NewLink } from "./links.schemas.ts";

const linkNotFound = () => new AppError("not_found", "links.not_found", "Link not found");

/** 128 bits: infeasible to guess. */
const TOKEN_BYTES = 16;

/**
 * Creates a link by which anyone with the token can read one of the actor's routines or plans,
 * whatever its sharing. No later answer contains the token. Throws invalid unless exactly one of
 * the ids is given; not_found for other owners' routines and plans.
 */
export async function createLink(
  db: Db,
  actor: Actor,
  { routineId, planId }: NewLink,
): Promise<Link & { token: string }> {
  if ((routineId === undefined) === (planId === undefined)) {
    throw new AppError("invalid", "links.ambiguous_subject", "Name either a routine or a plan");
  }
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const subject = { routineId: routineId ?? null, planId: planId ?? null };
  const link = await insertLink(db, actor.userId, subject, hashToken(token));
  if (link) return { ...link, token };
  throw subjectNotFound(routineId);
}

/**
 * Revokes a link of the actor from the next request on. Throws not_found for other users' links.
 */
export async function revokeLink(db: Db, actor: Actor, linkId: string): Promise<void> {
  if (!(await deleteLink(db, actor.userId, linkId))) throw linkNotFound();
}

/**
 * The routine, or the plan with its routines, of a link, as JSON. Throws not_found if there is no
 * such link, or its owner's account is not active.
 */
export async function getLinked(db: Db, token: string): Promise<string> {
  const json = await findLinkedJson(db, hashToken(token));
  if (json === undefined) throw linkNotFound();
  return json;
}

/** Hashes the text, not its bytes: base64url has several spellings of the same bytes. */
const hashToken = (token: string) => createHash("sha256").update(token).digest();
