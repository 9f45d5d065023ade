import { AppError } from "#lib/errors.ts";
import { etagOf, ofText } from "./reply.ts";

/** Throws stale unless the client has seen the stored state: its version, or what `read` returns. */
export type Precondition = (version: number, read: () => string | Promise<string>) => Promise<void>;

/**
 * The precondition of a request's If-Match header. It is met if the header is absent, `*`, or
 * contains the version (`"3"`) or the ETag of the stored state; otherwise it throws stale (412,
 * `reason`).
 */
export function preconditionOf(request: Request, reason: string): Precondition {
  const ifMatch = request.headers.get("if-match");
  return async (version, read) => {
    if (ifMatch === null || ifMatch.trim() === "*") return;
    // The proxy weakens the ETag of responses that it compresses.
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
