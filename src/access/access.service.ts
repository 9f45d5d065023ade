import { createHash, randomBytes } from "node:crypto";
import type { Db } from "#db/client.ts";
import { brokenConstraint } from "#db/errors.ts";
import type { Actor } from "../actor.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { insertUser, type PublicUser } from "../users/users.queries.ts";
import { findAccountByEmail, findLoginState, insertLogin, revokeLogin } from "./access.queries.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import type { LoginMemory } from "./login-memory.ts";
import type { Passwords } from "./passwords.ts";
import type { Revocations } from "./revocations.ts";
import type { Claims, Tokens } from "./tokens.ts";

export type AccessDeps = {
  db: Db;
  config: Config;
  tokens: Tokens;
  passwords: Passwords;
  memory: LoginMemory;
  revocations: Revocations;
  nowMs: () => number;
};

export type TokenPair = { accessToken: string; refreshToken: string };
/** The device that signs in, as its request described it. */
export type Device = { userAgent: string | null; address: string | null };

const unauthenticated = (reason: string, message: string) =>
  new AppError("unauthenticated", `access.${reason}`, message);
const refused = () => unauthenticated("invalid_credentials", "Invalid credentials or account is unavailable");

/** Creates an ordinary account. Throws conflict (`access.email_taken`); `invalid` when the two passwords differ. */
export async function signUp(
  { db, config, passwords }: AccessDeps,
  input: { email: string; password: string; confirmPassword: string; name?: string | null },
): Promise<PublicUser> {
  if (input.password !== input.confirmPassword) {
    throw new AppError("invalid", "invalid_request", "The request does not fit what this operation takes", {
      errors: [{ field: "/confirmPassword", code: "mismatch", message: "Passwords don't match" }],
    });
  }
  const taken = () => new AppError("conflict", "access.email_taken", "A user with this email already exists");
  if (input.email === config.ADMIN_EMAIL?.toLowerCase()) throw taken();
  const passwordHash = await passwords.hash(input.password);
  try {
    return await insertUser(db, {
      email: input.email,
      name: input.name ?? null,
      passwordHash,
      roleSlug: "application-access",
    });
  } catch (error) {
    throw brokenConstraint(error) === "users_email_unique" ? taken() : error;
  }
}

/** Starts a login on a device. Unknown address, wrong password and inactive account cost and say the same. */
export async function signIn(deps: AccessDeps, email: string, password: string, device: Device): Promise<TokenPair> {
  const account = await findAccountByEmail(deps.db, email);
  const matched = await deps.passwords.matches(password, account?.passwordHash);
  if (!account || !matched || !account.isActive) throw refused();
  const nowMs = deps.nowMs();
  const loginId = Bun.randomUUIDv7();
  const pair = await issueTokens(deps, account.id, loginId, nowMs);
  const inserted = await insertLogin(deps.db, {
    id: loginId,
    userId: account.id,
    refreshHash: hashToken(pair.refreshToken),
    expiresAt: new Date(nowMs + deps.config.LOGIN_MAX_AGE_S * 1000),
    ...device,
  });
  if (!inserted) throw refused();
  return pair;
}

/** Ends the login of either cookie. Once it returns, no process accepts that login any more. */
export async function logOut(deps: AccessDeps, request: Request): Promise<void> {
  const claims = await claimsOfEitherCookie(deps, request);
  if (!deps.memory.recall(claims.loginId)) await loadActor(deps, claims);
  await deps.revocations.announce({ loginId: claims.loginId }, (announcement) =>
    revokeLogin(deps.db, claims.loginId, "logout", announcement),
  );
}

/** The actor of the access cookie: from memory when it may be trusted, else from the database. */
export function authenticate(deps: AccessDeps, request: Request): Actor | Promise<Actor> {
  const token = readCookie(request.headers.get("cookie"), cookieNames(deps.config).access);
  if (!token) throw unauthenticated("not_authenticated", "Not authenticated");
  const claims = deps.tokens.verify("access", token);
  if (claims instanceof Promise) return claims.then((verified) => actorOf(deps, verified));
  return actorOf(deps, claims);
}

const actorOf = (deps: AccessDeps, claims: Claims) => deps.memory.recall(claims.loginId) ?? loadActor(deps, claims);

async function loadActor({ db, memory }: AccessDeps, { userId, loginId }: Claims): Promise<Actor> {
  const epoch = memory.epoch();
  const { expiresAtMs, ...state } = await findLoginState(db, userId, loginId);
  if (state.userId === null) throw unauthenticated("user_gone", "Invalid authentication credentials");
  if (!state.isActive) throw unauthenticated("user_inactive", "Invalid credentials or account is unavailable");
  if (!state.isLive) throw unauthenticated("login_revoked", "Invalid credentials");
  const actor = { loginId, userId, email: state.email, name: state.name, roleSlug: state.roleSlug };
  memory.remember(actor, epoch, expiresAtMs);
  return actor;
}

async function claimsOfEitherCookie({ config, tokens }: AccessDeps, request: Request): Promise<Claims> {
  const header = request.headers.get("cookie");
  const names = cookieNames(config);
  const accessToken = readCookie(header, names.access);
  const refreshToken = readCookie(header, names.refresh);
  if (!accessToken && !refreshToken) throw unauthenticated("not_authenticated", "Not authenticated");
  if (!accessToken) return tokens.verify("refresh", refreshToken as string);
  try {
    return await tokens.verify("access", accessToken);
  } catch (error) {
    if (!refreshToken) throw error;
    return tokens.verify("refresh", refreshToken);
  }
}

async function issueTokens({ tokens }: AccessDeps, userId: string, loginId: string, nowMs: number): Promise<TokenPair> {
  const claims = () => ({
    userId,
    loginId,
    issuedAtS: Math.floor(nowMs / 1000),
    tokenId: randomBytes(24).toString("base64url"),
  });
  return { accessToken: await tokens.sign("access", claims()), refreshToken: await tokens.sign("refresh", claims()) };
}

const hashToken = (token: string) => createHash("sha256").update(token).digest();
