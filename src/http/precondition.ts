import { AppError } from "#lib/errors.ts";
import { etagOf, ofText } from "./reply.ts";

/**
 * Throws stale when what is stored, which `read` gives as a client reads it, is not what the client
 * has seen.
 */
export type Precondition = (version: number, read: () => string | Promise<string>) => Promise<void>;

/**
 * The request's If-Match header: throws stale (412, `reason`) unless it is absent, `*`, or names
 * what is stored, by its version (`"3"`) or by the ETag that a read of it answered with.
 */
export function preconditionOf(request: Request, reason: string): Precondition {
  const ifMatch = request.headers.get("if-match");
  return async (version, read) => {
    if (ifMatch === null || ifMatch.trim() === "*") return;
    // The proxy makes the tag of what it compresses weak; it still names the same text.
    const tags = ifMatch.split(",").map((entry) => ofText(entry.trim().replace(/^W\//, "")));
    if (
      tags.includes(`"${version}"`) ||
      tags.includes(String(version)) ||
      tags.includes(etagOf(await read()))
    )
      return;
    throw new AppError("stale", reason, `It was changed meanwhile: its version is ${version}`);
  };
}
