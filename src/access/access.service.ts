import { createHash, createHmac } from "node:crypto";
import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import { insertAuditEvent, type Origin } from "../audit/audit.queries.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import type { LoginCache } from "../cache/login-cache.ts";
import type { Config } from "../config/config.ts";
import type { Log } from "../log/log.ts";
import type { Actor } from "../permissions/actor.ts";
import {
  type Account,
  findAccount,
  type LoginRow,
  listLiveLogins,
  revokeLogins,
  updatePasswordHash,
} from "./access.queries.ts";
import { beginAttempt } from "./attempts.service.ts";
import { signInLimits } from "./limits.ts";
import { requireStrongPassword } from "./password-rule.ts";
import type { Passwords } from "./passwords.ts";
import type { Tokens } from "./tokens.ts";

export type AccessDeps = {
  db: Db;
  config: Config;
  tokens: Tokens;
  passwords: Passwords;
  loginCache: LoginCache;
  invalidations: Invalidations;
  log: Pick<Log, "warn">;
  nowMs: () => number;
  /** The address that a request came from, null when nobody trustworthy says. */
  addressOf: (request: Request) => string | null;
};

export type TokenPair = { accessToken: string; refreshToken: string };

export const unauthenticated = (reason: string, message: string) =>
  new AppError("unauthenticated", `access.${reason}`, message);
const wrongPassword = () => unauthenticated("wrong_password", "Current password is incorrect");

/** Ends a login. Once it returns, no process accepts that login any more. */
export async function logOut(deps: AccessDeps, origin: Origin, actor: Actor): Promise<void> {
  await endLogins(deps, { loginId: actor.loginId }, async (tx) => {
    await revokeLogins(tx, actor.userId, { only: actor.loginId }, "logout");
    await insertAuditEvent(tx, origin, "access.logged_out", {
      targetUserId: actor.userId,
      loginId: actor.loginId,
    });
  });
}

/** Changes one's password and ends every login of the account, this one too. */
export async function changePassword(
  deps: AccessDeps,
  origin: Origin,
  actor: Actor,
  { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
): Promise<void> {
  const account = await requireCurrentPassword(deps, actor, currentPassword);
  requireStrongPassword(newPassword, account.email, "/newPassword");
  const passwordHash = await deps.passwords.hash(newPassword);
  await endLogins(deps, { userId: actor.userId }, async (tx) => {
    if (!(await updatePasswordHash(tx, actor.userId, account.passwordHash, passwordHash)))
      throw wrongPassword();
    await revokeLogins(tx, actor.userId, "all", "password_changed");
    await insertAuditEvent(tx, origin, "access.password_changed", { targetUserId: actor.userId });
  });
}

export type LiveLogin = LoginRow & { isCurrent: boolean };

/** One's live logins, the one used last first. */
export async function listLogins({ db, nowMs }: AccessDeps, actor: Actor): Promise<LiveLogin[]> {
  const logins = await listLiveLogins(db, actor.userId, nowMs());
  return logins.map((login) => ({ ...login, isCurrent: login.id === actor.loginId }));
}

/**
 * Ends one of one's own logins. Throws not_found (`access.login_not_found`) when it is not live or
 * not one's own.
 */
export async function revokeLogin(
  deps: AccessDeps,
  origin: Origin,
  actor: Actor,
  loginId: string,
  currentPassword: string,
): Promise<void> {
  await requireCurrentPassword(deps, actor, currentPassword);
  await endLogins(deps, { loginId }, async (tx) => {
    if ((await revokeLogins(tx, actor.userId, { only: loginId }, "revoked")) === 0) {
      throw new AppError("not_found", "access.login_not_found", "Login not found");
    }
    await insertAuditEvent(tx, origin, "access.login_revoked", {
      targetUserId: actor.userId,
      loginId,
    });
  });
}

/** Ends every login of one's own but the one that asks. */
export async function revokeOtherLogins(
  deps: AccessDeps,
  origin: Origin,
  actor: Actor,
  currentPassword: string,
): Promise<void> {
  await requireCurrentPassword(deps, actor, currentPassword);
  await endLogins(deps, { userId: actor.userId }, async (tx) => {
    await revokeLogins(tx, actor.userId, { except: actor.loginId }, "revoked");
    await insertAuditEvent(tx, origin, "access.logins_revoked", { targetUserId: actor.userId });
  });
}

/**
 * Runs `work` in a transaction; once this returns, no process trusts what it remembered of those
 * logins.
 */
export function endLogins<T>(
  { db, invalidations }: Pick<AccessDeps, "db" | "invalidations">,
  whose: { loginId: string } | { userId: string },
  work: (tx: Db) => Promise<T>,
): Promise<T> {
  return invalidations.publish(whose, (invalidationMessage) =>
    db.transaction(async (tx) => {
      const result = await work(tx);
      await sendInvalidation(tx, invalidationMessage);
      return result;
    }),
  );
}

async function requireCurrentPassword(
  deps: AccessDeps,
  actor: Actor,
  password: string,
): Promise<Account> {
  const { db, config, passwords } = deps;
  // Someone with a stolen cookie may guess here: counted for this login, as signing in is for a
  // known device.
  const limits = signInLimits(config, actor.email, null, actor.loginId);
  const attempt = await beginAttempt(deps, limits);
  const { account, isRight } = await attempt.judge(async () => {
    const account = await findAccount(db, actor.userId);
    return { account, isRight: await passwords.matches(password, account?.passwordHash) };
  });
  if (!account || !isRight) {
    await attempt.keep();
    throw wrongPassword();
  }
  await attempt.succeed(() => true);
  return account;
}

export const hashToken = (token: string): Buffer => createHash("sha256").update(token).digest();

/**
 * The token id that follows `tokenId`: the same every time, and known to nobody without the signing
 * key's secret.
 */
export const successorTokenId = (secret: Uint8Array, tokenId: string): string =>
  createHmac("sha256", secret).update(tokenId).digest("base64url");
