import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { OperatorError } from "#lib/errors.ts";
import type { RoleSlug } from "../permissions/actor.ts";

/** The public fields of an account. */
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
  isActive?: boolean;
  isSystemAdmin?: boolean;
};

/** Inserts an account with that role. Violates `users_email_unique` if the address is taken. */
export async function insertUser(db: Db, user: NewUser): Promise<PublicUser> {
  const [inserted] = await db.sql<PublicUser[]>`
    with inserted as (
      insert into users (email, name, password_hash, role_id, is_active, is_system_admin)
      select ${user.email}, ${user.name}, ${user.passwordHash}, id, ${user.isActive ?? true},
        ${user.isSystemAdmin ?? false}
      from roles where slug = ${user.roleSlug}
      returning *
    )
    select inserted.id, inserted.name, email, is_active as "isActive",
      slug = 'superuser' as "isSuperuser", roles.name as "roleName", slug as "roleSlug",
      ${instant(db.sql, "created_at")} as "createdAt",
      ${instant(db.sql, "updated_at")} as "updatedAt"
    from inserted join roles on roles.id = role_id`;
  if (!inserted) throw new OperatorError(`There is no role ${user.roleSlug}: run irontrack seed`);
  return inserted;
}
