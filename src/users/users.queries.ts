import type { Db } from "#db/client.ts";
import type { RoleSlug } from "../actor.ts";

/** An account as people may see it. */
export type PublicUser = {
  id: string;
  name: string | null;
  email: string;
  isActive: boolean;
  isSuperuser: boolean;
  roleName: string;
  roleSlug: RoleSlug;
  createdAt: string;
  updatedAt: string;
};

export type NewUser = {
  email: string;
  name: string | null;
  passwordHash: string;
  roleSlug: RoleSlug;
  isSystemAdmin?: boolean;
};

/** Inserts an active account of that role. Breaks `users_email_unique` when the address is taken. */
export async function insertUser(db: Db, user: NewUser): Promise<PublicUser> {
  const [inserted] = await db.sql<PublicUser[]>`
    with inserted as (
      insert into users (email, name, password_hash, role_id, is_system_admin)
      select ${user.email}, ${user.name}, ${user.passwordHash}, id, ${user.isSystemAdmin ?? false}
      from roles where slug = ${user.roleSlug}
      returning *
    )
    select ${publicColumns(db)} from inserted as users join roles on roles.id = users.role_id`;
  if (!inserted) throw new Error(`There is no role ${user.roleSlug}`);
  return inserted;
}

const publicColumns = (db: Db) => db.sql`
  users.id, users.name, users.email, users.is_active as "isActive", roles.slug = 'superuser' as "isSuperuser",
  roles.name as "roleName", roles.slug as "roleSlug",
  to_char(users.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
  to_char(users.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "updatedAt"`;
