import { AppError } from "../errors.ts";

/**
 * Throws stale (412) unless `ifMatch`, the request's If-Match header, is absent, `*`, or names what is stored: its
 * version (`"3"`), or the ETag that a read of it answered with.
 */
export function requireMatch(
  ifMatch: string | null,
  reason: string,
  { version, etag }: { version: number; etag: string },
): void {
  if (namesVersion(ifMatch, version) || tagsOf(ifMatch).includes(etag)) return;
  throw new AppError("stale", reason, `It was changed meanwhile: its version is ${version}`);
}

/** Whether If-Match asks for nothing in particular, or for that version; then no ETag has to be made. */
export const namesVersion = (ifMatch: string | null, version: number): boolean =>
  ifMatch === null ||
  ifMatch.trim() === "*" ||
  tagsOf(ifMatch).some((tag) => tag === `"${version}"` || tag === String(version));

const tagsOf = (ifMatch: string | null) => (ifMatch ?? "").split(",").map((entry) => entry.trim());
