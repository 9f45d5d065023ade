import type { Db } from "#db/client.ts";
import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import { findOwnDocumentByName, findSystemDocumentBySlug } from "./exercises.queries.ts";

/** The document of a system exercise by slug, or of one's own by exact name; exactly one of them must be given. */
export async function findExercise(
  db: Db,
  actor: Actor,
  { name, slug }: { name?: string; slug?: string },
): Promise<string> {
  if (name && slug) {
    throw new AppError(
      "malformed",
      "exercises.ambiguous_criteria",
      "You must specify only one of the following: slug or name",
    );
  }
  if (!name && !slug)
    throw new AppError("malformed", "exercises.missing_criteria", "Either name or slug must be provided");
  const found = slug
    ? await findSystemDocumentBySlug(db, slug)
    : await findOwnDocumentByName(db, actor.userId, name as string);
  if (found === undefined)
    throw new AppError("not_found", "exercises.not_found", `Exercise with '${slug || name}' not found`);
  return found;
}

export const exerciseNotFound = () => new AppError("not_found", "exercises.not_found", "Exercise not found");

/**
 * Puts the address of the image host in front of the image paths in rendered documents. Inside a JSON string a quote is
 * always escaped, so what is replaced can only be the fields themselves.
 */
export function withImageHost(documents: string, cdnResourcesUrl: string): string {
  if (cdnResourcesUrl === "") return documents;
  const host = JSON.stringify(`${cdnResourcesUrl.replace(/\/+$/, "")}/exercises`).slice(0, -1);
  return documents
    .replaceAll('"imagePathStart":"', () => `"imagePathStart":${host}`)
    .replaceAll('"imagePathEnd":"', () => `"imagePathEnd":${host}`);
}
