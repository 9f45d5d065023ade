import type { AppError } from "#lib/errors.ts";
import { isFromOtherSite } from "../http/cross-site.ts";
import type { Actor } from "../permissions/actor.ts";
import { findLoginState } from "./access.queries.ts";
import { type AccessDeps, unauthenticated } from "./access.service.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import type { Claims, TokenKind } from "./tokens.ts";

/** The actor of the access cookie: from memory when it may be trusted, else from the database. */
export function authenticate(deps: AccessDeps, request: Request): Actor | Promise<Actor> {
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

/** The actor of the access cookie when nobody has to be asked for it, else undefined. */
export function recognise(
  { config, tokens, loginCache }: AccessDeps,
  request: Request,
): Actor | undefined {
  const token = readCookie(request.headers.get("cookie"), cookieNames(config).access);
  const claims = token === undefined ? undefined : tokens.get(token);
  return claims && loginCache.get(claims);
}

/**
 * The actor of either cookie, the access cookie first: who only wants to log out may have just one
 * left.
 */
export async function authenticateByEither(deps: AccessDeps, request: Request): Promise<Actor> {
  const header = request.headers.get("cookie");
  const names = cookieNames(deps.config);
  const given = (["access", "refresh"] as TokenKind[]).flatMap((kind) => {
    const token = readCookie(header, names[kind]);
    return token ? [{ kind, token }] : [];
  });
  let failure: unknown = notAuthenticated(request);
  for (const { kind, token } of given) {
    try {
      return await actorOf(deps, await deps.tokens.verify(kind, token));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

const actorOf = (deps: AccessDeps, claims: Claims) =>
  deps.loginCache.get(claims) ?? loadActor(deps, claims);

/**
 * Asks the database. Throws unauthenticated when the user is gone or inactive, or the login revoked
 * or over.
 */
export async function loadActor(
  { db, loginCache, nowMs }: AccessDeps,
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
