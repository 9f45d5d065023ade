import type { Db } from "#db/client.ts";
import { translateViolations } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { revokeLogins } from "../access/access.queries.ts";
import { insertUser, type NewUser, type PublicUser } from "../access/accounts.queries.ts";
import { requireStrongPassword } from "../access/password-rule.ts";
import { insertAuditEvent, type SecurityEvent } from "../audit/audit.queries.ts";
import type { Origin } from "../audit/origin.ts";
import type { RoleSlug } from "../permissions/actor.ts";
import {
  changeLocked,
  refuseProtected,
  requireAnotherSuperuser,
  type UserDeps,
  userNotFound,
} from "./guards.service.ts";
import {
  deleteUser,
  findUser,
  type ManagedUser,
  type UserChanges,
  updateUser,
} from "./users.queries.ts";

/** Creates an account. Throws conflict (`users.email_taken`), invalid (`access.weak_password`). */
export async function createUser(
  { db, passwords }: UserDeps,
  origin: Origin,
  { password, ...user }: Omit<NewUser, "passwordHash"> & { password: string },
): Promise<PublicUser> {
  requireStrongPassword(password, user.email);
  const passwordHash = await passwords.hash(password);
  return translateTaken(user.email, () =>
    db.transaction(async (tx) => {
      const created = await insertUser(tx, { ...user, passwordHash });
      await insertAuditEvent(tx, origin, "users.created", {
        targetUserId: created.id,
        detail: `role ${created.roleSlug}`,
      });
      return created;
    }),
  );
}

export type AccountChanges = {
  name?: string | null;
  email?: string;
  password?: string;
  isActive?: boolean;
  isSuperuser?: boolean;
};

/**
 * Changes an account and returns it. A new password or a deactivation ends all its logins; a new
 * role applies at once. Throws not_found; forbidden for the system administrator, and for
 * deactivating or demoting oneself; conflict (`users.email_taken`, `users.last_superuser`).
 */
export async function changeUser(
  deps: UserDeps,
  origin: Origin,
  userId: string,
  changes: AccountChanges,
): Promise<PublicUser> {
  const before = await requireManageable(deps.db, origin, userId, isDemotion(changes));
  if (Object.keys(changes).length === 0) return publicUserOf(before);
  const { password, isSuperuser, ...fields } = changes;
  if (password !== undefined) requireStrongPassword(password, fields.email ?? before.email);
  const passwordHash = password === undefined ? undefined : await deps.passwords.hash(password);
  const roleSlug = roleAfter(before.roleSlug, isSuperuser);
  return translateTaken(fields.email ?? before.email, () =>
    changeLocked(deps, origin, userId, async (tx, superusers) => {
      if (isDemotion(changes)) requireAnotherSuperuser(superusers, userId);
      const columns: UserChanges = {
        ...fields,
        ...(passwordHash ? { passwordHash } : {}),
        ...(roleSlug ? { roleSlug } : {}),
      };
      await updateUser(tx, userId, columns);
      if (passwordHash) await revokeLogins(tx, userId, "all", "password_changed");
      if (fields.isActive === false) await revokeLogins(tx, userId, "all", "deactivated");
      for (const event of eventsOf(changes))
        await insertAuditEvent(tx, origin, event, detailsOf(userId, changes));
      return publicUserOf((await findUser(tx, { id: userId })) as ManagedUser);
    }),
  );
}

/** Deletes an account and everything it owned. Throws as `changeUser` does. */
export async function removeUser(deps: UserDeps, origin: Origin, userId: string): Promise<void> {
  const before = await requireManageable(deps.db, origin, userId, true);
  await changeLocked(deps, origin, userId, async (tx, superusers) => {
    requireAnotherSuperuser(superusers, userId);
    await deleteUser(tx, userId);
    await insertAuditEvent(tx, origin, "users.deleted", {
      targetUserId: userId,
      detail: `role ${before.roleSlug}`,
    });
  });
}

async function requireManageable(
  db: Db,
  origin: Origin,
  userId: string,
  isDestructive: boolean,
): Promise<ManagedUser> {
  const user = await findUser(db, { id: userId });
  if (!user) throw userNotFound();
  refuseProtected(user, origin, isDestructive);
  return user;
}

const isDemotion = ({ isActive, isSuperuser }: AccountChanges) =>
  isActive === false || isSuperuser === false;

function roleAfter(current: RoleSlug, isSuperuser: boolean | undefined): RoleSlug | undefined {
  if (isSuperuser === true && current !== "superuser") return "superuser";
  if (isSuperuser === false && current === "superuser") return "application-access";
  return undefined;
}

function eventsOf(changes: AccountChanges): SecurityEvent[] {
  const events: SecurityEvent[] = [];
  if (changes.isActive !== undefined)
    events.push(changes.isActive ? "users.activated" : "users.deactivated");
  if (changes.password !== undefined) events.push("users.password_reset");
  if (changes.isSuperuser !== undefined)
    events.push(changes.isSuperuser ? "users.role_assigned" : "users.role_revoked");
  if (changes.name !== undefined || changes.email !== undefined) events.push("users.updated");
  return events;
}

const detailsOf = (targetUserId: string, changes: AccountChanges) => ({
  targetUserId,
  detail: Object.keys(changes).sort().join(", "),
});

function translateTaken<T>(email: string, work: () => Promise<T>): Promise<T> {
  const detail = `A user with the email '${email}' is already registered in the system`;
  return translateViolations(
    {
      users_email_unique: () => new AppError("conflict", "users.email_taken", detail),
      users_system_admin_unique: () =>
        new AppError(
          "conflict",
          "users.system_administrator_exists",
          "There is a system administrator already",
        ),
    },
    work,
  );
}

export function publicUserOf({ isSystemAdmin: _isSystemAdmin, ...user }: ManagedUser): PublicUser {
  return user;
}
