import type { Db } from "#db/client.ts";
import type { RoleSlug } from "../actor.ts";

/** What signing in has to know of an account. */
export type Account = { id: string; passwordHash: string; isActive: boolean };

export async function findAccountByEmail(db: Db, email: string): Promise<Account | undefined> {
  const [account] = await db.sql<Account[]>`
    select id, password_hash as "passwordHash", is_active as "isActive" from users where lower(email) = ${email}`;
  return account;
}

export type NewLogin = {
  id: string;
  userId: string;
  refreshHash: Uint8Array;
  expiresAt: Date;
  userAgent: string | null;
  address: string | null;
};

/** Inserts a login of an active user; false when the user was deactivated or deleted in the meantime. */
export async function insertLogin(db: Db, login: NewLogin): Promise<boolean> {
  const inserted = await db.sql`
    insert into logins (id, user_id, refresh_hash, expires_at, user_agent, address)
    select ${login.id}, id, ${Buffer.from(login.refreshHash)}, ${login.expiresAt.toISOString()}, ${login.userAgent}, ${login.address}
    from users where id = ${login.userId} and is_active`;
  return inserted.count === 1;
}

/** The state of a login and its user; every field null when the user is gone. */
export type LoginState = {
  userId: string | null;
  email: string;
  name: string | null;
  roleSlug: RoleSlug;
  isActive: boolean;
  isLive: boolean;
  expiresAtMs: number;
};

/** One row always: the user of that id (fields null when there is none) with the login of that id, if it is theirs. */
export async function findLoginState(db: Db, userId: string, loginId: string): Promise<LoginState> {
  const [state] = await db.sql<LoginState[]>`
    select users.id as "userId", email, users.name, roles.slug as "roleSlug", is_active as "isActive",
      coalesce(revoked_at is null and expires_at > now(), false) as "isLive",
      (extract(epoch from expires_at) * 1000)::float8 as "expiresAtMs"
    from (values (${userId}::uuid)) as asked (id)
    left join users on users.id = asked.id
    left join roles on roles.id = users.role_id
    left join logins on logins.user_id = users.id and logins.id = ${loginId}`;
  return state as LoginState;
}

/** Revokes a login, announces it to every process, and returns whether it had been live. */
export async function revokeLogin(db: Db, loginId: string, reason: string, announcement: string): Promise<boolean> {
  const [revoked] = await db.sql<{ count: number }[]>`
    with revoked as (
      update logins set revoked_at = now(), revoked_reason = ${reason} where id = ${loginId} and revoked_at is null
      returning id
    ), announced as (
      select pg_notify('irontrack_revocations', ${announcement}) from revoked
    )
    select (select count(*) from revoked)::int + 0 * (select count(*) from announced)::int as count`;
  return (revoked?.count ?? 0) > 0;
}
