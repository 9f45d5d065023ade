import { createHmac } from "node:crypto";
import { AppError } from "#lib/errors.ts";
import { insertAuditEvent } from "../audit/audit.queries.ts";
import type { Origin } from "../audit/origin.ts";
import {
  findRefreshState,
  type RefreshState,
  revokeLogins,
  rotateRefreshHash,
} from "./access.queries.ts";
import { endLogins, type RevocationDeps } from "./access.service.ts";
import { rateLimited } from "./attempts.service.ts";
import {
  type AuthenticationDeps,
  loadActor,
  notAuthenticated,
  unauthenticated,
} from "./authentication.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import type { SigningKey } from "./keys.ts";
import { refreshLimits } from "./limits.ts";
import {
  CLOCK_SKEW_S,
  type Claims,
  clockBehind,
  hashToken,
  type TokenPair,
  type Tokens,
} from "./tokens.ts";

export type RefreshDeps = AuthenticationDeps & RevocationDeps;

/** How long a replaced token still gets its successor, because the answer may have been lost. */
const GRACE_MS = 10_000;

/**
 * Exchanges the refresh cookie for a new pair. The successor of a token is always the same token,
 * so a retry within the grace period gets the tokens of the lost answer. A refresh token that is
 * not the current one was used twice: the login ends at once (RFC 9700 §4.14.2).
 */
export async function refresh(
  deps: RefreshDeps,
  origin: Origin,
  request: Request,
): Promise<TokenPair> {
  const { db, config, tokens, nowMs } = deps;
  const token = readCookie(request.headers.get("cookie"), cookieNames(config).refresh);
  if (!token) throw notAuthenticated(request);
  const claims = await tokens.verify("refresh", token);
  return rateLimited(deps, refreshLimits(config, claims.loginId), async () => {
    const replacedAt = new Date(nowMs());
    const successor = await successorOf(tokens, claims, replacedAt.getTime(), tokens.signers[0]);
    const rotated = await rotateRefreshHash(
      db,
      claims.loginId,
      hashToken(token),
      hashToken(successor.refreshToken),
      replacedAt,
    );
    return rotated ? successor : await retryOrRevoke(deps, origin, claims, token);
  });
}

async function retryOrRevoke(
  deps: RefreshDeps,
  origin: Origin,
  claims: Claims,
  token: string,
): Promise<TokenPair> {
  const { db, nowMs } = deps;
  // Throws if the user is deleted or inactive, or the login revoked or expired.
  const actor = await loadActor(deps, claims);
  const state = await findRefreshState(db, claims.loginId, nowMs());
  if (!state?.isLive) throw unauthenticated("login_revoked", "Invalid credentials");
  const isPrevious =
    state.previousRefreshHash !== null && hashToken(token).equals(state.previousRefreshHash);
  const sinceMs = nowMs() - state.refreshedAtMs;
  // The clock was set back, so a retry cannot be distinguished from a stolen token.
  if (isPrevious && sinceMs < -CLOCK_SKEW_S * 1000) throw clockBehind();
  if (isPrevious && sinceMs <= GRACE_MS) return sameSuccessor(deps.tokens, claims, state);
  await endLogins(deps, { loginId: claims.loginId }, async (tx) => {
    const { userId } = actor;
    const { loginId } = claims;
    const revokedCount = await revokeLogins(tx, userId, { only: loginId }, "refresh_reused");
    if (revokedCount === 0) return;
    await insertAuditEvent(tx, origin, "access.refresh_reused", { targetUserId: userId, loginId });
  });
  throw unauthenticated("refresh_reused", "Invalid credentials");
}

/**
 * Issues the same pair again that the login was given, with the key that signed it, even if the key
 * was replaced since. Throws unavailable if this process does not have that key.
 */
async function sameSuccessor(
  tokens: Tokens,
  claims: Claims,
  state: RefreshState,
): Promise<TokenPair> {
  for (const signer of tokens.signers) {
    const pair = await successorOf(tokens, claims, state.refreshedAtMs, signer);
    if (hashToken(pair.refreshToken).equals(state.refreshHash)) return pair;
  }
  const detail = "The keys are being replaced; please try again";
  throw new AppError("unavailable", "access.keys_replaced", detail, { retryAfterS: 1 });
}

/**
 * The pair that follows a refresh token that is replaced at `atMs`. Always the same, because
 * Ed25519 signatures are deterministic.
 */
async function successorOf(
  tokens: Tokens,
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

/** The token id that follows `tokenId`: deterministic, and unpredictable without `secret`. */
const successorTokenId = (secret: Uint8Array, tokenId: string): string =>
  createHmac("sha256", secret).update(tokenId).digest("base64url");
