import { createHash, createHmac, randomBytes } from "node:crypto";
import type { Db } from "#db/client.ts";
import { translateBroken } from "#db/errors.ts";
import type { Actor } from "../actor.ts";
import { evenIfGone } from "../asking.ts";
import { insertAuditEvent, type Origin } from "../audit/audit.queries.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { normaliseEmail } from "../http/formats.ts";
import { type Announcement, type Notices, sendNotice } from "../notices.ts";
import { insertUser, type PublicUser } from "../users/users.queries.ts";
import {
  type Account,
  findAccount,
  findAccountByEmail,
  insertLogin,
  type LoginRow,
  listLiveLogins,
  revokeLogins,
  updatePasswordHash,
} from "./access.queries.ts";
import { reserveAttempt, returnAttempt } from "./attempts.queries.ts";
import { deviceOf, signInLimits, signUpLimits } from "./limits.ts";
import type { LoginMemory } from "./login-memory.ts";
import { requireStrongPassword } from "./password-rule.ts";
import type { Passwords } from "./passwords.ts";
import type { Tokens } from "./tokens.ts";

export type AccessDeps = {
  db: Db;
  config: Config;
  tokens: Tokens;
  passwords: Passwords;
  memory: LoginMemory;
  notices: Notices;
  nowMs: () => number;
  /** The address that a request came from, null when nobody trustworthy says. */
  addressOf: (request: Request) => string | null;
};

export type TokenPair = { accessToken: string; refreshToken: string };

export const unauthenticated = (reason: string, message: string) =>
  new AppError("unauthenticated", `access.${reason}`, message);
const refused = () => unauthenticated("invalid_credentials", "Invalid credentials or account is unavailable");
const wrongPassword = () => unauthenticated("wrong_password", "Current password is incorrect");
const throttled = (waitS: number) =>
  new AppError("throttled", "access.throttled", "Too many attempts; please wait before the next", {
    retryAfterS: waitS,
  });
const emailTaken = () => new AppError("conflict", "access.email_taken", "A user with this email already exists");

/** Creates an ordinary account. Throws conflict (`access.email_taken`), invalid (`access.weak_password`) or throttled. */
export async function signUp(
  { db, config, passwords, nowMs }: AccessDeps,
  origin: Origin,
  input: { email: string; password: string; confirmPassword: string; name?: string | null },
): Promise<PublicUser> {
  if (input.password !== input.confirmPassword) {
    throw new AppError("invalid", "invalid_request", "The request does not fit what this operation takes", {
      errors: [{ field: "/confirmPassword", code: "mismatch", message: "Passwords don't match" }],
    });
  }
  requireStrongPassword(input.password, input.email);
  const waitS = await reserveAttempt(db, signUpLimits(config, origin.address), nowMs());
  if (waitS > 0) throw throttled(waitS);
  if (config.ADMIN_EMAIL !== undefined && input.email === normaliseEmail(config.ADMIN_EMAIL)) throw emailTaken();
  const passwordHash = await passwords.hash(input.password);
  const user = { email: input.email, name: input.name ?? null, passwordHash, roleSlug: "application-access" as const };
  return translateBroken({ users_email_unique: emailTaken }, () =>
    db.transaction(async (tx) => {
      const created = await insertUser(tx, user);
      await insertAuditEvent(tx, origin, "access.signed_up", { targetUserId: created.id });
      return created;
    }),
  );
}

/**
 * Starts a login. Unknown address, wrong password and inactive account cost and say the same. A login that the request
 * still carries ends. Throws unauthenticated, or throttled after too many failures.
 */
export async function signIn(
  deps: AccessDeps,
  origin: Origin,
  request: Request,
  email: string,
  password: string,
): Promise<TokenPair> {
  const { db } = deps;
  const { account, device, limits } = await evenIfGone(() => judge(deps, origin, request, email, password));
  const pair = await startLogin(deps, origin, account, request, device);
  const [ofAddress, others] = [limits.filter(isOfAddress), limits.filter((limit) => !isOfAddress(limit))];
  await returnAttempt(db, others.map(keyOf), ofAddress.map(keyOf));
  await rehashIfOld(deps, account, password);
  return pair;
}

/** Judges one attempt. Once begun, it is counted and recorded whether or not its client waits for the answer. */
async function judge(deps: AccessDeps, origin: Origin, request: Request, email: string, password: string) {
  const { db, config, passwords, nowMs } = deps;
  const account = await findAccountByEmail(db, email);
  const device = await deviceOf(deps, request, account?.id);
  const limits = signInLimits(config, email, origin.address, device);
  const waitS = await reserveAttempt(db, limits, nowMs());
  if (waitS > 0) throw throttled(waitS);
  const matched = await passwords.matches(password, account?.passwordHash);
  if (!account || !matched || !account.isActive) {
    await insertAuditEvent(db, origin, "access.sign_in_failed", { targetUserId: account?.id ?? null });
    throw refused();
  }
  return { account, device, limits };
}

const isOfAddress = ({ key }: { key: string }) => key.startsWith("address:");
const keyOf = ({ key }: { key: string }) => key;

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
  const start = (announcement?: Announcement) =>
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
      if (replacedLoginId && announcement) {
        await revokeLogins(tx, account.id, { only: replacedLoginId }, "signed_in_again");
        await sendNotice(tx, announcement);
      }
    });
  if (replacedLoginId) await deps.notices.announce({ loginId: replacedLoginId }, start);
  else await start();
  return { accessToken, refreshToken };
}

/** Ends a login. Once it returns, no process accepts that login any more. */
export async function logOut(deps: AccessDeps, origin: Origin, actor: Actor): Promise<void> {
  await endLogins(deps, { loginId: actor.loginId }, async (tx) => {
    await revokeLogins(tx, actor.userId, { only: actor.loginId }, "logout");
    await insertAuditEvent(tx, origin, "access.logged_out", { targetUserId: actor.userId, loginId: actor.loginId });
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
    if (!(await updatePasswordHash(tx, actor.userId, account.passwordHash, passwordHash))) throw wrongPassword();
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

/** Ends one of one's own logins. Throws not_found (`access.login_not_found`) when it is not live or not one's own. */
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
    await insertAuditEvent(tx, origin, "access.login_revoked", { targetUserId: actor.userId, loginId });
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

/** Runs `work` in a transaction; once this returns, no process trusts what it remembered of those logins. */
export function endLogins<T>(
  { db, notices }: Pick<AccessDeps, "db" | "notices">,
  whose: { loginId: string } | { userId: string },
  work: (tx: Db) => Promise<T>,
): Promise<T> {
  return notices.announce(whose, (announcement) =>
    db.transaction(async (tx) => {
      const result = await work(tx);
      await sendNotice(tx, announcement);
      return result;
    }),
  );
}

async function requireCurrentPassword(deps: AccessDeps, actor: Actor, password: string): Promise<Account> {
  const { db, config, passwords, nowMs } = deps;
  // Someone with a stolen cookie may guess here: counted for this login, as signing in is for a known device.
  const limits = signInLimits(config, actor.email, null, actor.loginId);
  const waitS = await reserveAttempt(db, limits, nowMs());
  if (waitS > 0) throw throttled(waitS);
  const account = await findAccount(db, actor.userId);
  const matched = await passwords.matches(password, account?.passwordHash);
  if (!account || !matched) throw wrongPassword();
  await returnAttempt(db, limits.map(keyOf), []);
  return account;
}

async function rehashIfOld({ db, passwords }: AccessDeps, account: Account, password: string) {
  if (!passwords.isOutdated(account.passwordHash)) return;
  await updatePasswordHash(db, account.id, account.passwordHash, await passwords.hash(password));
}

/** 192 random bits. */
const randomTokenId = () => randomBytes(24).toString("base64url");
export const hashToken = (token: string): Buffer => createHash("sha256").update(token).digest();

/** The token id that follows `tokenId`: the same every time, and known to nobody without the signing key's secret. */
export const successorTokenId = (secret: Uint8Array, tokenId: string): string =>
  createHmac("sha256", secret).update(tokenId).digest("base64url");
