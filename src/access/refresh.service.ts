import { AppError } from "#lib/errors.ts";
import { insertAuditEvent, type Origin } from "../audit/audit.queries.ts";
import {
  findRefreshState,
  type RefreshState,
  revokeLogins,
  rotateRefreshHash,
} from "./access.queries.ts";
import {
  type AccessDeps,
  endLogins,
  hashToken,
  successorTokenId,
  type TokenPair,
  unauthenticated,
} from "./access.service.ts";
import { attempt } from "./attempts.service.ts";
import { loadActor, notAuthenticated } from "./authentication.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import type { SigningKey } from "./keys.ts";
import { refreshLimits } from "./limits.ts";
import type { Claims } from "./tokens.ts";
import { CLOCK_SKEW_S, clockBehind } from "./tokens.ts";

/**
 * How long the token that was just replaced still gets its successor: its answer may have been lost
 * on the way.
 */
const GRACE_MS = 10_000;

/**
 * Exchanges the refresh cookie for a new pair. The successor of a token is always the same token,
 * so a retry within the grace gets what the lost answer carried. Any other refresh token of this
 * login that is not the current one was used twice: the login ends at once (RFC 9700 §4.14.2).
 */
export async function refresh(
  deps: AccessDeps,
  origin: Origin,
  request: Request,
): Promise<TokenPair> {
  const { db, config, tokens, nowMs } = deps;
  const token = readCookie(request.headers.get("cookie"), cookieNames(config).refresh);
  if (!token) throw notAuthenticated(request);
  const claims = await tokens.verify("refresh", token);
  return attempt(deps, refreshLimits(config, claims.loginId), async () => {
    const at = new Date(nowMs());
    const successor = await successorOf(deps, claims, at.getTime(), deps.tokens.signers[0]);
    const rotated = await rotateRefreshHash(
      db,
      claims.loginId,
      hashToken(token),
      hashToken(successor.refreshToken),
      at,
    );
    return rotated ? successor : await retryOrRevoke(deps, origin, claims, token);
  });
}

async function retryOrRevoke(
  deps: AccessDeps,
  origin: Origin,
  claims: Claims,
  token: string,
): Promise<TokenPair> {
  const { db, nowMs } = deps;
  // Says whether the user is gone or inactive, or the login revoked or over.
  const actor = await loadActor(deps, claims);
  const state = await findRefreshState(db, claims.loginId, nowMs());
  if (!state?.isLive) throw unauthenticated("login_revoked", "Invalid credentials");
  const isPrevious =
    state.previousRefreshHash !== null && hashToken(token).equals(state.previousRefreshHash);
  const sinceMs = nowMs() - state.refreshedAtMs;
  // The clock was set back, so a retry and a stolen token cannot be told apart.
  if (isPrevious && sinceMs < -CLOCK_SKEW_S * 1000) throw clockBehind();
  if (isPrevious && sinceMs <= GRACE_MS) return sameSuccessor(deps, claims, state);
  await endLogins(deps, { loginId: claims.loginId }, async (tx) => {
    const revoked = await revokeLogins(
      tx,
      actor.userId,
      { only: claims.loginId },
      "refresh_reused",
    );
    const about = { targetUserId: actor.userId, loginId: claims.loginId };
    if (revoked > 0) await insertAuditEvent(tx, origin, "access.refresh_reused", about);
  });
  throw unauthenticated("refresh_reused", "Invalid credentials");
}

/**
 * Issues the same pair again that the login was given, with the key that signed it, even if the key
 * was replaced since. Throws unavailable if this process does not have that key.
 */
async function sameSuccessor(
  deps: AccessDeps,
  claims: Claims,
  state: RefreshState,
): Promise<TokenPair> {
  for (const signer of deps.tokens.signers) {
    const pair = await successorOf(deps, claims, state.refreshedAtMs, signer);
    if (hashToken(pair.refreshToken).equals(state.refreshHash)) return pair;
  }
  const detail = "The keys are being replaced; please try again";
  throw new AppError("unavailable", "access.keys_replaced", detail, { retryAfterS: 1 });
}

/**
 * The pair that follows a refresh token that is replaced at `atMs`; Ed25519 signs the same text the
 * same way.
 */
async function successorOf(
  { tokens }: AccessDeps,
  { userId, loginId, tokenId }: Claims,
  atMs: number,
  signer: SigningKey,
): Promise<TokenPair> {
  const issuedAtS = Math.floor(atMs / 1000);
  const claims = { userId, loginId, issuedAtS };
  const next = successorTokenId(signer.secret, tokenId);
  const accessTokenId = successorTokenId(signer.secret, `access ${next}`);
  return {
    accessToken: await tokens.sign("access", { ...claims, tokenId: accessTokenId }, signer),
    refreshToken: await tokens.sign("refresh", { ...claims, tokenId: next }, signer),
  };
}
