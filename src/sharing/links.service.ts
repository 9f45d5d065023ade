import { createHash, randomBytes } from "node:crypto";
import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import { deleteLink, findLinkedJson, insertLink } from "./links.queries.ts";
import type { Link, NewLink } from "./links.schemas.ts";

const linkNotFound = () => new AppError("not_found", "links.not_found", "Link not found");

/** 128 bits: as many as nobody guesses. */
const TOKEN_BYTES = 16;

/**
 * Lets anyone who has the token read a routine or plan of the actor's own, whoever it is shared
 * with. The token is in no later answer. Throws invalid unless exactly one thing is named;
 * not_found for what is not the actor's.
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
  const link = await insertLink(db, actor.userId, subject, hashOf(token));
  if (link) return { ...link, token };
  const what = routineId === undefined ? "Plan" : "Routine";
  throw new AppError("not_found", `${what.toLowerCase()}s.not_found`, `${what} not found`);
}

/**
 * Ends a link of the actor's; holds from the next request on. Throws not_found for anyone else's.
 */
export async function endLink(db: Db, actor: Actor, linkId: string): Promise<void> {
  if (!(await deleteLink(db, actor.userId, linkId))) throw linkNotFound();
}

/**
 * What a link shows, as JSON, to anyone. Throws not_found when there is none, or none while its
 * owner is not active.
 */
export async function getLinked(db: Db, token: string): Promise<string> {
  const json = await findLinkedJson(db, hashOf(token));
  if (json === undefined) throw linkNotFound();
  return json;
}

/** Of the text, so that no second text stands for the same token. */
const hashOf = (token: string) => createHash("sha256").update(token).digest();
