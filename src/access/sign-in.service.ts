import { randomBytes } from "node:crypto";
import type { Db } from "#db/client.ts";
import { translateViolations } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { insertAuditEvent } from "../audit/audit.queries.ts";
import type { Origin } from "../audit/origin.ts";
import {
  type InvalidationMessage,
  type Invalidations,
  sendInvalidation,
} from "../cache/invalidations.ts";
import type { Config } from "../config/config.ts";
import { normaliseEmail } from "../http/formats.ts";
import { keepAliveForJoiners } from "../http/request-context.ts";
import type { Log } from "../log/log.ts";
import {
  type Account,
  findAccount,
  insertLogin,
  revokeLogins,
  updatePasswordHash,
} from "./access.queries.ts";
import { insertUser, type PublicUser } from "./accounts.queries.ts";
import { beginAttempt, rateLimited } from "./attempts.service.ts";
import { unauthenticated } from "./authentication.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import { isAddressKey, signInLimits, signUpLimits } from "./limits.ts";
import { requireStrongPassword } from "./password-rule.ts";
import type { Passwords } from "./passwords.ts";
import { hashToken, type TokenPair, type Tokens } from "./tokens.ts";

export type SignInDeps = {
  db: Db;
  config: Config;
  tokens: Tokens;
  passwords: Passwords;
  invalidations: Invalidations;
  log: Pick<Log, "warn">;
  nowMs: () => number;
};

/**
 * Creates an ordinary account. Throws conflict (`access.email_taken`), invalid
 * (`access.weak_password`) or throttled.
 */
export async function signUp(
  deps: Pick<SignInDeps, "db" | "config" | "passwords" | "nowMs">,
  origin: Origin,
  input: { email: string; password: string; confirmPassword: string; name?: string | null },
): Promise<PublicUser> {
  const { db, config, passwords } = deps;
  if (input.password !== input.confirmPassword) {
    throw new AppError(
      "invalid",
      "invalid_request",
      "The request does not fit what this operation takes",
      {
        errors: [{ field: "/confirmPassword", code: "mismatch", message: "Passwords don't match" }],
      },
    );
  }
  requireStrongPassword(input.password, input.email);
  return rateLimited(deps, signUpLimits(config, origin.address), async () => {
    if (config.ADMIN_EMAIL !== undefined && input.email === normaliseEmail(config.ADMIN_EMAIL))
      throw emailTaken();
    const passwordHash = await passwords.hash(input.password);
    const { email, name = null } = input;
    return translateViolations({ users_email_unique: emailTaken }, () =>
      db.transaction(async (tx) => {
        const created = await insertUser(tx, {
          email,
          name,
          passwordHash,
          roleSlug: "application-access",
        });
        await insertAuditEvent(tx, origin, "access.signed_up", { targetUserId: created.id });
        return created;
      }),
    );
  });
}

/**
 * Starts a login, and ends the one whose cookies the request carries. An unknown address, a wrong
 * password and an inactive account take the same time and get the same answer. Throws
 * unauthenticated, or throttled after too many failures.
 */
export async function signIn(
  deps: SignInDeps,
  origin: Origin,
  request: Request,
  email: string,
  password: string,
): Promise<TokenPair> {
  const { account, previousLoginId } = await keepAliveForJoiners(() =>
    checkPassword(deps, origin, request, email, password),
  );
  const pair = await startLogin(deps, origin, account, request, previousLoginId);
  await rehashIfOld(deps, account, password);
  return pair;
}

/** Checks one sign-in, and counts and records it even if the client hangs up meanwhile. */
async function checkPassword(
  deps: SignInDeps,
  origin: Origin,
  request: Request,
  email: string,
  password: string,
) {
  const { db, config, passwords } = deps;
  const account = await findAccount(db, { email });
  const previousLoginId = await findPreviousLogin(deps, request, account?.id);
  const limits = signInLimits(config, email, origin.address, previousLoginId);
  const attempt = await beginAttempt(deps, limits);
  const isRight = await attempt.check(() => passwords.matches(password, account?.passwordHash));
  if (!account || !isRight || !account.isActive) {
    await attempt.fail();
    await insertAuditEvent(db, origin, "access.sign_in_failed", {
      targetUserId: account?.id ?? null,
    });
    throw invalidCredentials();
  }
  await attempt.succeed((key) => !isAddressKey(key));
  return { account, previousLoginId };
}

/** The login id of a cookie that this account was once given, even if that login is over. */
async function findPreviousLogin(
  { config, tokens }: Pick<SignInDeps, "config" | "tokens">,
  request: Request,
  userId: string | undefined,
) {
  const header = request.headers.get("cookie");
  const names = cookieNames(config);
  for (const kind of ["access", "refresh"] as const) {
    const token = readCookie(header, names[kind]);
    const claims = token ? await tokens.verifyIgnoringExpiry(kind, token) : undefined;
    if (claims && claims.userId === userId) return claims.loginId;
  }
  return undefined;
}

async function startLogin(
  deps: SignInDeps,
  origin: Origin,
  account: Account,
  request: Request,
  previousLoginId: string | undefined,
): Promise<TokenPair> {
  const { db, config, tokens, nowMs } = deps;
  const startedMs = nowMs();
  const loginId = Bun.randomUUIDv7();
  const claims = { userId: account.id, loginId, issuedAtS: Math.floor(startedMs / 1000) };
  const accessToken = await tokens.sign("access", { ...claims, tokenId: randomTokenId() });
  const refreshToken = await tokens.sign("refresh", { ...claims, tokenId: randomTokenId() });
  const start = (message?: InvalidationMessage) =>
    db.transaction(async (tx) => {
      const inserted = await insertLogin(tx, {
        id: loginId,
        userId: account.id,
        refreshHash: hashToken(refreshToken),
        startedAt: new Date(startedMs),
        expiresAt: new Date(startedMs + config.LOGIN_MAX_AGE_S * 1000),
        userAgent: request.headers.get("user-agent")?.slice(0, 512) ?? null,
        address: origin.address,
      });
      if (!inserted) throw invalidCredentials();
      await insertAuditEvent(tx, origin, "access.signed_in", { targetUserId: account.id, loginId });
      if (previousLoginId && message) {
        await revokeLogins(tx, account.id, { only: previousLoginId }, "signed_in_again");
        await sendInvalidation(tx, message);
      }
    });
  if (previousLoginId) await deps.invalidations.publish({ loginId: previousLoginId }, start);
  else await start();
  return { accessToken, refreshToken };
}

/** Replaces a hash that has outdated parameters. A failure is logged, and the login stays. */
async function rehashIfOld(
  { db, passwords, log }: Pick<SignInDeps, "db" | "passwords" | "log">,
  account: Account,
  password: string,
): Promise<void> {
  if (!passwords.isOutdated(account.passwordHash)) return;
  try {
    await updatePasswordHash(db, account.id, account.passwordHash, await passwords.hash(password));
  } catch (error) {
    log.warn(
      { err: error, userId: account.id },
      "rehashing a password failed; the next sign-in tries again",
    );
  }
}

/** 192 random bits. */
const randomTokenId = () => randomBytes(24).toString("base64url");

const invalidCredentials = () =>
  unauthenticated("invalid_credentials", "Invalid credentials or account is unavailable");
const emailTaken = () =>
  new AppError("conflict", "access.email_taken", "A user with this email already exists");
