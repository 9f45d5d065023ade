import { AppError } from "../errors.ts";

/**
 * Throws stale (412) unless `ifMatch`, the request's If-Match header, is absent, `*`, or names what is stored: its
 * version (`"3"`), or the ETag that a read of it answered with.
 */
export function requireMatch(
  ifMatch: string | null,
  reason: string,
  { version, etag }: { version: number; etag?: string },
): void {
  if (ifMatch === null || ifMatch.trim() === "*") return;
  const named = ifMatch.split(",").map((entry) => entry.trim());
  if ((etag !== undefined && named.includes(etag)) || named.includes(`"${version}"`) || named.includes(String(version)))
    return;
  throw new AppError("stale", reason, `It was changed meanwhile: its version is ${version}`);
}
