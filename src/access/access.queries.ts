import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import type { RoleSlug } from "../permissions/actor.ts";

/** The columns of an account that a sign-in reads. */
export type Account = { id: string; email: string; passwordHash: string; isActive: boolean };

/** The account with that id or address. */
export async function findAccount(
  { sql }: Db,
  by: { id: string } | { email: string },
): Promise<Account | undefined> {
  const matches = "id" in by ? sql`id = ${by.id}` : sql`lower(email) = ${by.email}`;
  const [account] = await sql<Account[]>`
    select id, email, password_hash as "passwordHash", is_active as "isActive"
    from users where ${matches}`;
  return account;
}

/** Replaces the hash `from` by `to`; false if it was replaced in the meantime. */
export async function updatePasswordHash(
  db: Db,
  userId: string,
  from: string,
  to: string,
): Promise<boolean> {
  const updated = await db.sql`
    update users set password_hash = ${to}, updated_at = now(), version = version + 1
    where id = ${userId} and password_hash = ${from}`;
  return updated.count === 1;
}

export type NewLogin = {
  id: string;
  userId: string;
  refreshHash: Uint8Array;
  startedAt: Date;
  expiresAt: Date;
  userAgent: string | null;
  address: string | null;
};

/** Inserts a login; false if the user was deactivated or deleted in the meantime. */
export async function insertLogin(db: Db, login: NewLogin): Promise<boolean> {
  const startedAt = login.startedAt.toISOString();
  const inserted = await db.sql`
    insert into logins (
      id, user_id, refresh_hash, refreshed_at, created_at, last_used_at, expires_at, user_agent,
      address)
    select ${login.id}, id, ${Buffer.from(login.refreshHash)}, ${startedAt}, ${startedAt},
      ${startedAt}, ${login.expiresAt.toISOString()}, ${login.userAgent}, ${login.address}
    from users where id = ${login.userId} and is_active for share`;
  return inserted.count === 1;
}

/** The state of a login and its user; every field is null if there is no such user. */
export type LoginState = {
  userId: string | null;
  email: string;
  name: string | null;
  roleSlug: RoleSlug;
  isActive: boolean;
  isLive: boolean;
  expiresAtMs: number;
};

/** Reads the state of a user, and of the login if it is theirs. Always returns one row. */
export async function findLoginState(
  db: Db,
  userId: string,
  loginId: string,
  nowMs: number,
): Promise<LoginState> {
  const [state] = await db.sql<LoginState[]>`
    select users.id as "userId", email, users.name, roles.slug as "roleSlug",
      is_active as "isActive",
      coalesce(revoked_at is null and expires_at > ${new Date(nowMs).toISOString()}, false)
        as "isLive",
      (extract(epoch from expires_at) * 1000)::float8 as "expiresAtMs"
    from (values (${userId}::uuid)) as claimed (id)
    left join users on users.id = claimed.id
    left join roles on roles.id = users.role_id
    left join logins on logins.user_id = users.id and logins.id = ${loginId}`;
  return state as LoginState;
}

/**
 * Replaces the refresh token of a live login by its successor, if `from` is the current one. One
 * statement, so that exactly one of any number of concurrent callers succeeds.
 */
export async function rotateRefreshHash(
  db: Db,
  loginId: string,
  from: Uint8Array,
  to: Uint8Array,
  at: Date,
): Promise<boolean> {
  const rotated = await db.sql`
    update logins set previous_refresh_hash = refresh_hash, refresh_hash = ${Buffer.from(to)},
      refreshed_at = ${at.toISOString()}, last_used_at = ${at.toISOString()}
    from users
    where logins.id = ${loginId} and refresh_hash = ${Buffer.from(from)} and revoked_at is null
      and expires_at > ${at.toISOString()} and users.id = logins.user_id and users.is_active`;
  return rotated.count === 1;
}

export type RefreshState = {
  isLive: boolean;
  refreshHash: Uint8Array;
  previousRefreshHash: Uint8Array | null;
  refreshedAtMs: number;
};

export async function findRefreshState(
  db: Db,
  loginId: string,
  nowMs: number,
): Promise<RefreshState | undefined> {
  const [state] = await db.sql<RefreshState[]>`
    select revoked_at is null and expires_at > ${new Date(nowMs).toISOString()} as "isLive",
      refresh_hash as "refreshHash", previous_refresh_hash as "previousRefreshHash",
      (extract(epoch from refreshed_at) * 1000)::float8 as "refreshedAtMs"
    from logins where id = ${loginId}`;
  return state;
}

export type LoginRow = {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  userAgent: string | null;
  address: string | null;
};

/** A user's live logins, most recently used first. */
export async function listLiveLogins(
  { sql }: Db,
  userId: string,
  nowMs: number,
): Promise<LoginRow[]> {
  return sql<LoginRow[]>`
    select id, ${instant(sql, "created_at")} as "createdAt",
      ${instant(sql, "last_used_at")} as "lastUsedAt", ${instant(sql, "expires_at")} as "expiresAt",
      user_agent as "userAgent", address
    from logins
    where user_id = ${userId} and revoked_at is null
      and expires_at > ${new Date(nowMs).toISOString()}
    order by last_used_at desc, id desc`;
}

export type RevocationReason =
  | "logout"
  | "revoked"
  | "refresh_reused"
  | "password_changed"
  | "deactivated"
  | "signed_in_again";
/** Which logins of a user: one, all except one, or all. */
export type LoginSelection = { only: string } | { except: string } | "all";

/** Revokes live logins of a user, and returns their number. */
export async function revokeLogins(
  { sql }: Db,
  userId: string,
  selection: LoginSelection,
  reason: RevocationReason,
): Promise<number> {
  const isSelected =
    selection === "all"
      ? sql``
      : "only" in selection
        ? sql`and id = ${selection.only}`
        : sql`and id <> ${selection.except}`;
  const revoked = await sql`
    update logins set revoked_at = clock_timestamp(), revoked_reason = ${reason}
    where user_id = ${userId} and revoked_at is null ${isSelected}`;
  return revoked.count;
}
