import { randomBytes } from "node:crypto";
import { translateBroken } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { insertAuditEvent, type Origin } from "../audit/audit.queries.ts";
import { type InvalidationMessage, sendInvalidation } from "../cache/invalidations.ts";
import { normaliseEmail } from "../http/formats.ts";
import { keepAliveForJoiners } from "../http/request-context.ts";
import {
  type Account,
  findAccountByEmail,
  insertLogin,
  revokeLogins,
  updatePasswordHash,
} from "./access.queries.ts";
import { type AccessDeps, hashToken, type TokenPair, unauthenticated } from "./access.service.ts";
import { insertUser, type PublicUser } from "./accounts.queries.ts";
import { attempt, beginAttempt } from "./attempts.service.ts";
import { deviceOf, isOfAddress, signInLimits, signUpLimits } from "./limits.ts";
import { requireStrongPassword } from "./password-rule.ts";

/**
 * Creates an ordinary account. Throws conflict (`access.email_taken`), invalid
 * (`access.weak_password`) or throttled.
 */
export async function signUp(
  deps: AccessDeps,
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
  return attempt(deps, signUpLimits(config, origin.address), async () => {
    if (config.ADMIN_EMAIL !== undefined && input.email === normaliseEmail(config.ADMIN_EMAIL))
      throw emailTaken();
    const passwordHash = await passwords.hash(input.password);
    const { email, name = null } = input;
    return translateBroken({ users_email_unique: emailTaken }, () =>
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
 * Starts a login. Unknown address, wrong password and inactive account cost and say the same. A
 * login that the request still carries ends. Throws unauthenticated, or throttled after too many
 * failures.
 */
export async function signIn(
  deps: AccessDeps,
  origin: Origin,
  request: Request,
  email: string,
  password: string,
): Promise<TokenPair> {
  const { account, device } = await keepAliveForJoiners(() =>
    judge(deps, origin, request, email, password),
  );
  const pair = await startLogin(deps, origin, account, request, device);
  await rehashIfOld(deps, account, password);
  return pair;
}

/**
 * Checks one sign-in. Once begun, it is counted and recorded whether or not the client waits for
 * the answer.
 */
async function judge(
  deps: AccessDeps,
  origin: Origin,
  request: Request,
  email: string,
  password: string,
) {
  const { db, config, passwords } = deps;
  const account = await findAccountByEmail(db, email);
  const device = await deviceOf(deps, request, account?.id);
  const attempt = await beginAttempt(deps, signInLimits(config, email, origin.address, device));
  const isRight = await attempt.judge(() => passwords.matches(password, account?.passwordHash));
  if (!account || !isRight || !account.isActive) {
    await attempt.keep();
    await insertAuditEvent(db, origin, "access.sign_in_failed", {
      targetUserId: account?.id ?? null,
    });
    throw refused();
  }
  await attempt.succeed((key) => !isOfAddress(key));
  return { account, device };
}

async function startLogin(
  deps: AccessDeps,
  origin: Origin,
  account: Account,
  request: Request,
  replacedLoginId: string | undefined,
): Promise<TokenPair> {
  const { db, config, tokens, nowMs } = deps;
  const startedMs = nowMs();
  const loginId = Bun.randomUUIDv7();
  const claims = { userId: account.id, loginId, issuedAtS: Math.floor(startedMs / 1000) };
  const accessToken = await tokens.sign("access", { ...claims, tokenId: randomTokenId() });
  const refreshToken = await tokens.sign("refresh", { ...claims, tokenId: randomTokenId() });
  const start = (invalidationMessage?: InvalidationMessage) =>
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
      if (!inserted) throw refused();
      await insertAuditEvent(tx, origin, "access.signed_in", { targetUserId: account.id, loginId });
      if (replacedLoginId && invalidationMessage) {
        await revokeLogins(tx, account.id, { only: replacedLoginId }, "signed_in_again");
        await sendInvalidation(tx, invalidationMessage);
      }
    });
  if (replacedLoginId) await deps.invalidations.publish({ loginId: replacedLoginId }, start);
  else await start();
  return { accessToken, refreshToken };
}

/**
 * Replaces a hash that has outdated parameters. Best effort: a failure is logged, and the login
 * stays.
 */
async function rehashIfOld(
  { db, passwords, log }: AccessDeps,
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

const refused = () =>
  unauthenticated("invalid_credentials", "Invalid credentials or account is unavailable");
const emailTaken = () =>
  new AppError("conflict", "access.email_taken", "A user with this email already exists");
