import { errors, jwtVerify, SignJWT } from "jose";
import { createBoundedMap } from "#lib/bounded-map.ts";
import { AppError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";
import type { Keys, SigningKey } from "./keys.ts";

export type TokenKind = "access" | "refresh";

/** What a verified token says. `issuedAtS` and `expiresAtS` are seconds since 1970. */
export type Claims = {
  userId: string;
  loginId: string;
  tokenId: string;
  issuedAtS: number;
  expiresAtS: number;
};

export type Tokens = {
  /** The key that signs, then the former ones. */
  signers: [SigningKey, ...SigningKey[]];
  /**
   * Signs with `signer`, or with the current key. The same claims and key always give the same
   * text.
   */
  sign(kind: TokenKind, claims: Omit<Claims, "expiresAtS">, signer?: SigningKey): Promise<string>;
  /** What an access token says that was verified before and has not expired, else undefined. */
  get(token: string): Claims | undefined;
  /**
   * The claims of a token: from the cache if it was verified before, else after a signature check.
   * Throws `unauthenticated`, or `unavailable` for a token that we signed with a later clock.
   */
  verify(kind: TokenKind, token: string): Claims | Promise<Claims>;
  /**
   * The claims of a token that we signed, expired or not; undefined for any other. Proves a device,
   * never a login.
   */
  verifyEvenExpired(kind: TokenKind, token: string): Promise<Claims | undefined>;
};

const MAX_TOKEN_LENGTH = 2048;
const MAX_CACHED_TOKENS = 10_000;
/** The most by which the clocks of our processes may differ. */
export const CLOCK_SKEW_S = 30;
const CLOCK_RETRY_S = 30;
const HEADER_TYPE: Record<TokenKind, string> = { access: "at+jwt", refresh: "rt+jwt" };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const invalidToken = () =>
  new AppError("unauthenticated", "access.invalid_token", "Invalid token");
/**
 * Our clock is behind the one that dated a token or a refresh: ours was set back, or another
 * process's is ahead. The client did nothing wrong, so the answer must not look like the end of its
 * login.
 */
export const clockBehind = () =>
  new AppError(
    "unavailable",
    "access.clock_behind",
    "The server's clock is being corrected; please try again",
    {
      retryAfterS: CLOCK_RETRY_S,
    },
  );
const expiredToken = () =>
  new AppError("unauthenticated", "access.token_expired", "Token has expired");

/**
 * Signs and verifies Ed25519 tokens. A verified access token is remembered under its whole text
 * until it expires, never under a part of it: whatever is remembered was verified, and only the
 * very same bytes find it.
 */
export function createTokens(config: Config, keys: Keys, nowMs: () => number = Date.now): Tokens {
  const answerFromCache = createBoundedMap<string, Claims>(MAX_CACHED_TOKENS);
  const lifeS: Record<TokenKind, number> = {
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
      const isOurs =
        typ === kind && UUID.test(sub ?? "") && typeof sid === "string" && UUID.test(sid);
      if (!isOurs) throw invalidToken();
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
    const known = answerFromCache.get(token);
    if (!known || known.expiresAtS * 1000 > nowMs()) return known;
    answerFromCache.delete(token);
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
        .setExpirationTime(issuedAtS + lifeS[kind])
        .sign(signer.key),

    verify: (kind, token) => {
      if (kind !== "access") return verifyAt(kind, token, nowMs());
      return (
        get(token) ??
        verifyAt(kind, token, nowMs()).then((claims) => {
          answerFromCache.set(ownCopy(token), claims);
          return claims;
        })
      );
    },

    // At time 0 no token has expired.
    verifyEvenExpired: (kind, token) => verifySignature(kind, token, 0).catch(() => undefined),
  };
}

/** Without what it was cut out of: a header of any length would stay in memory with it. */
const ownCopy = (text: string) => Buffer.from(text, "latin1").toString("latin1");

function rejectKey(): never {
  throw invalidToken();
}
