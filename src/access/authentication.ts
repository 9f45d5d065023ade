import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { LoginCache } from "../cache/login-cache.ts";
import type { Config } from "../config/config.ts";
import { isFromOtherSite } from "../http/cross-site.ts";
import type { Actor } from "../permissions/actor.ts";
import { findLoginState } from "./access.queries.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import type { Claims, TokenKind, Tokens } from "./tokens.ts";

export type AuthenticationDeps = {
  db: Db;
  config: Config;
  tokens: Tokens;
  loginCache: LoginCache;
  nowMs: () => number;
};

export const unauthenticated = (reason: string, message: string) =>
  new AppError("unauthenticated", `access.${reason}`, message);

/** The actor of the access cookie: from the login cache, else from the database. */
export function authenticate(deps: AuthenticationDeps, request: Request): Actor | Promise<Actor> {
  const token = readCookie(request.headers.get("cookie"), cookieNames(deps.config).access);
  if (!token) throw notAuthenticated(request);
  const claims = deps.tokens.verify("access", token);
  if (claims instanceof Promise) return claims.then((verified) => actorOf(deps, verified));
  return actorOf(deps, claims);
}

/**
 * The error for a request without a cookie. To a page of another site it explains why the browser
 * sent none.
 */
export function notAuthenticated(request: Request): AppError {
  const why =
    ": browsers send the cookies to pages of the same site only; use one host name for the page and the API, for example localhost for both";
  return unauthenticated(
    "not_authenticated",
    `Not authenticated${isFromOtherSite(request) ? why : ""}`,
  );
}

/** The actor of the access cookie if token and login are cached, else undefined. */
export function recognise(
  { config, tokens, loginCache }: Pick<AuthenticationDeps, "config" | "tokens" | "loginCache">,
  request: Request,
): Actor | undefined {
  const token = readCookie(request.headers.get("cookie"), cookieNames(config).access);
  const claims = token === undefined ? undefined : tokens.get(token);
  return claims && loginCache.get(claims);
}

/** The actor of either cookie, the access cookie first: a client may have only one left. */
export async function authenticateByEither(
  deps: AuthenticationDeps,
  request: Request,
): Promise<Actor> {
  const header = request.headers.get("cookie");
  const names = cookieNames(deps.config);
  let failure: unknown = notAuthenticated(request);
  for (const kind of ["access", "refresh"] satisfies TokenKind[]) {
    const token = readCookie(header, names[kind]);
    if (!token) continue;
    try {
      return await actorOf(deps, await deps.tokens.verify(kind, token));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

const actorOf = (deps: AuthenticationDeps, claims: Claims) =>
  deps.loginCache.get(claims) ?? loadActor(deps, claims);

/**
 * Reads the actor from the database, and caches it. Throws `unauthenticated` if the user is deleted
 * or inactive, or the login revoked or expired.
 */
export async function loadActor(
  { db, loginCache, nowMs }: Pick<AuthenticationDeps, "db" | "loginCache" | "nowMs">,
  { userId, loginId }: Claims,
): Promise<Actor> {
  const epoch = loginCache.epoch();
  const { expiresAtMs, ...state } = await findLoginState(db, userId, loginId, nowMs());
  if (state.userId === null)
    throw unauthenticated("user_gone", "Invalid authentication credentials");
  if (!state.isActive)
    throw unauthenticated("user_inactive", "Invalid credentials or account is unavailable");
  if (!state.isLive) throw unauthenticated("login_revoked", "Invalid credentials");
  const actor = { loginId, userId, email: state.email, name: state.name, roleSlug: state.roleSlug };
  loginCache.set(actor, epoch, expiresAtMs);
  return actor;
}
