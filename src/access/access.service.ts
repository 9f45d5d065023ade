import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import { insertAuditEvent } from "../audit/audit.queries.ts";
import type { Origin } from "../audit/origin.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import type { Config } from "../config/config.ts";
import type { Actor } from "../permissions/actor.ts";
import {
  type Account,
  findAccount,
  type LoginRow,
  listLiveLogins,
  revokeLogins,
  updatePasswordHash,
} from "./access.queries.ts";
import { type AttemptDeps, beginAttempt } from "./attempts.service.ts";
import { unauthenticated } from "./authentication.ts";
import { signInLimits } from "./limits.ts";
import { requireStrongPassword } from "./password-rule.ts";
import type { Passwords } from "./passwords.ts";

export type RevocationDeps = { db: Db; invalidations: Invalidations };
type PasswordDeps = AttemptDeps & { config: Config; passwords: Passwords };

const wrongPassword = () => unauthenticated("wrong_password", "Current password is incorrect");

/** Ends the actor's login. Once it returns, no process accepts that login any more. */
export async function logOut(deps: RevocationDeps, origin: Origin, actor: Actor): Promise<void> {
  await endLogins(deps, { loginId: actor.loginId }, async (tx) => {
    await revokeLogins(tx, actor.userId, { only: actor.loginId }, "logout");
    await insertAuditEvent(tx, origin, "access.logged_out", {
      targetUserId: actor.userId,
      loginId: actor.loginId,
    });
  });
}

/** Changes the actor's password, and ends every login of the account including this one. */
export async function changePassword(
  deps: RevocationDeps & PasswordDeps,
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

/** The actor's live logins, most recently used first. */
export async function listLogins({ db, nowMs }: AttemptDeps, actor: Actor): Promise<LiveLogin[]> {
  const logins = await listLiveLogins(db, actor.userId, nowMs());
  return logins.map((login) => ({ ...login, isCurrent: login.id === actor.loginId }));
}

/**
 * Ends one of the actor's logins. Throws not_found (`access.login_not_found`) if it is not live or
 * another user's.
 */
export async function revokeLogin(
  deps: RevocationDeps & PasswordDeps,
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

/** Ends all logins of the actor except the present one. */
export async function revokeOtherLogins(
  deps: RevocationDeps & PasswordDeps,
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
 * Runs `work`, which revokes logins, in a transaction. Once this returns, no process has them in
 * its cache.
 */
export function endLogins<T>(
  { db, invalidations }: RevocationDeps,
  logins: { loginId: string } | { userId: string },
  work: (tx: Db) => Promise<T>,
): Promise<T> {
  return invalidations.publish(logins, (message) =>
    db.transaction(async (tx) => {
      const result = await work(tx);
      await sendInvalidation(tx, message);
      return result;
    }),
  );
}

async function requireCurrentPassword(
  deps: PasswordDeps,
  actor: Actor,
  password: string,
): Promise<Account> {
  const { db, config, passwords } = deps;
  // The holder of a stolen cookie may guess here, so failures count as sign-ins of a known device
  // do.
  const limits = signInLimits(config, actor.email, null, actor.loginId);
  const attempt = await beginAttempt(deps, limits);
  const { account, isRight } = await attempt.check(async () => {
    const account = await findAccount(db, { id: actor.userId });
    return { account, isRight: await passwords.matches(password, account?.passwordHash) };
  });
  if (!account || !isRight) {
    await attempt.fail();
    throw wrongPassword();
  }
  await attempt.succeed(() => true);
  return account;
}
