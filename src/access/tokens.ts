import { createHash } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { createBoundedMap } from "#lib/bounded-map.ts";
import { AppError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";
import type { Keys, SigningKey } from "./keys.ts";

export type TokenKind = "access" | "refresh";

/** The claims of a verified token. `issuedAtS` and `expiresAtS` are seconds since 1970. */
export type Claims = {
  userId: string;
  loginId: string;
  tokenId: string;
  issuedAtS: number;
  expiresAtS: number;
};

export type TokenPair = { accessToken: string; refreshToken: string };

export type Tokens = {
  /** The current signing key, then the former ones. */
  signers: [SigningKey, ...SigningKey[]];
  /**
   * Signs with `signer`, or with the current key. The same claims and key always give the same
   * text.
   */
  sign(kind: TokenKind, claims: Omit<Claims, "expiresAtS">, signer?: SigningKey): Promise<string>;
  /** The cached claims of an access token that was verified before and has not expired. */
  get(token: string): Claims | undefined;
  /**
   * The claims of a token: from the cache if it was verified before, else after a signature check.
   * Throws `unauthenticated`, or `unavailable` for a token signed by a clock ahead of ours.
   */
  verify(kind: TokenKind, token: string): Claims | Promise<Claims>;
  /**
   * The claims of a correctly signed token, expired or not; undefined for any other. Proves that
   * the device once had the login, not that the login is live.
   */
  verifyIgnoringExpiry(kind: TokenKind, token: string): Promise<Claims | undefined>;
};

const MAX_TOKEN_LENGTH = 2048;
const MAX_CACHED_TOKENS = 10_000;
/** The largest tolerated difference between the clocks of processes. */
export const CLOCK_SKEW_S = 30;
const CLOCK_RETRY_S = 30;
const HEADER_TYPE: Record<TokenKind, string> = { access: "at+jwt", refresh: "rt+jwt" };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const invalidToken = () =>
  new AppError("unauthenticated", "access.invalid_token", "Invalid token");
/**
 * This clock is behind the one that dated a token or a refresh: it was set back, or another
 * process's is ahead. The client did nothing wrong, so the answer must not look like a revoked
 * login.
 */
export const clockBehind = () =>
  new AppError(
    "unavailable",
    "access.clock_behind",
    "The server's clock is being corrected; please try again",
    { retryAfterS: CLOCK_RETRY_S },
  );
const expiredToken = () =>
  new AppError("unauthenticated", "access.token_expired", "Token has expired");

/** The form in which a token is stored. */
export const hashToken = (token: string): Buffer => createHash("sha256").update(token).digest();

/**
 * Signs and verifies Ed25519 tokens. The claims of a verified access token are cached until it
 * expires. The cache key is the complete token, so only exactly the same bytes hit.
 */
export function createTokens(config: Config, keys: Keys, nowMs: () => number = Date.now): Tokens {
  const verified = createBoundedMap<string, Claims>(MAX_CACHED_TOKENS);
  const lifetimeS: Record<TokenKind, number> = {
    access: config.ACCESS_TOKEN_TTL_S,
    refresh: config.REFRESH_TOKEN_TTL_S,
  };

  async function verifySignature(kind: TokenKind, token: string, atMs: number): Promise<Claims> {
    if (token.length > MAX_TOKEN_LENGTH) throw invalidToken();
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => keys.verifying.get(kid ?? "") ?? rejectKey(),
        {
          algorithms: ["EdDSA"],
          typ: HEADER_TYPE[kind],
          issuer: config.TOKEN_ISSUER,
          audience: config.TOKEN_AUDIENCE,
          requiredClaims: ["sub", "sid", "jti", "iat", "exp"],
          currentDate: new Date(atMs),
        },
      );
      const { sub, sid, jti, iat, exp, typ } = payload;
      const isValid =
        typ === kind && UUID.test(sub ?? "") && typeof sid === "string" && UUID.test(sid);
      if (!isValid) throw invalidToken();
      return {
        userId: sub as string,
        loginId: sid,
        tokenId: jti as string,
        issuedAtS: Number(iat),
        expiresAtS: Number(exp),
      };
    } catch (error) {
      throw error instanceof errors.JWTExpired ? expiredToken() : invalidToken();
    }
  }

  async function verifyAt(kind: TokenKind, token: string, atMs: number): Promise<Claims> {
    const claims = await verifySignature(kind, token, atMs);
    if (claims.issuedAtS > atMs / 1000 + CLOCK_SKEW_S) throw clockBehind();
    return claims;
  }

  const get = (token: string): Claims | undefined => {
    const claims = verified.get(token);
    if (!claims || claims.expiresAtS * 1000 > nowMs()) return claims;
    verified.delete(token);
    return undefined;
  };

  return {
    signers: [keys.signing, ...keys.former],
    get,
    sign: (kind, { userId, loginId, tokenId, issuedAtS }, signer = keys.signing) =>
      new SignJWT({ sid: loginId, typ: kind })
        .setProtectedHeader({ alg: "EdDSA", typ: HEADER_TYPE[kind], kid: signer.kid })
        .setIssuer(config.TOKEN_ISSUER)
        .setAudience(config.TOKEN_AUDIENCE)
        .setSubject(userId)
        .setJti(tokenId)
        .setIssuedAt(issuedAtS)
        .setExpirationTime(issuedAtS + lifetimeS[kind])
        .sign(signer.key),

    verify: (kind, token) => {
      if (kind !== "access") return verifyAt(kind, token, nowMs());
      return (
        get(token) ??
        verifyAt(kind, token, nowMs()).then((claims) => {
          verified.set(ownCopy(token), claims);
          return claims;
        })
      );
    },

    // At time 0 no token has expired.
    verifyIgnoringExpiry: (kind, token) => verifySignature(kind, token, 0).catch(() => undefined),
  };
}

/** A copy that does not keep the whole Cookie header alive, as a substring would. */
const ownCopy = (text: string) => Buffer.from(text, "latin1").toString("latin1");

function rejectKey(): never {
  throw invalidToken();
}
