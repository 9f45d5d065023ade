import type { Db } from "#db/client.ts";
import { translateBroken } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { revokeLogins } from "../access/access.queries.ts";
import { insertUser, type NewUser, type PublicUser } from "../access/accounts.queries.ts";
import { requireStrongPassword } from "../access/password-rule.ts";
import type { Passwords } from "../access/passwords.ts";
import { insertAuditEvent, type Origin, type SecurityEvent } from "../audit/audit.queries.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import type { RoleSlug } from "../permissions/actor.ts";
import {
  deleteUser,
  findUser,
  lockSuperusers,
  type ManagedUser,
  type UserChanges,
  updateUser,
} from "./users.queries.ts";

export type UserDeps = { db: Db; passwords: Passwords; invalidations: Invalidations };

export const userNotFound = () => new AppError("not_found", "users.not_found", "User not found");

/** Creates an account; the password rule holds here too. Throws conflict (`users.email_taken`). */
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
 * Changes an account and returns it. A new password, and deactivation, end all its logins; a new
 * role holds at once. Throws not_found; forbidden for the system administrator, and for taking
 * power from oneself; conflict (`users.email_taken`, `users.last_superuser`).
 */
export async function changeUser(
  deps: UserDeps,
  origin: Origin,
  userId: string,
  changes: AccountChanges,
): Promise<PublicUser> {
  const before = await requireManageable(deps.db, origin, userId, takesPower(changes));
  if (Object.keys(changes).length === 0) return withoutMark(before);
  const { password, isSuperuser, ...fields } = changes;
  if (password !== undefined) requireStrongPassword(password, fields.email ?? before.email);
  const passwordHash = password === undefined ? undefined : await deps.passwords.hash(password);
  const roleSlug = roleAfter(before.roleSlug, isSuperuser);
  return translateTaken(fields.email ?? before.email, () =>
    changeGuarded(deps, origin, userId, async (tx, superusers) => {
      if (takesPower(changes)) requireAnotherSuperuser(superusers, userId);
      const written: UserChanges = {
        ...fields,
        ...(passwordHash ? { passwordHash } : {}),
        ...(roleSlug ? { roleSlug } : {}),
      };
      await updateUser(tx, userId, written);
      if (passwordHash) await revokeLogins(tx, userId, "all", "password_changed");
      if (fields.isActive === false) await revokeLogins(tx, userId, "all", "deactivated");
      for (const event of eventsOf(changes))
        await insertAuditEvent(tx, origin, event, aboutChange(userId, changes));
      return withoutMark((await findUser(tx, { id: userId })) as ManagedUser);
    }),
  );
}

/** Deletes an account and what it owned. Throws as `changeUser` does. */
export async function removeUser(deps: UserDeps, origin: Origin, userId: string): Promise<void> {
  const before = await requireManageable(deps.db, origin, userId, true);
  await changeGuarded(deps, origin, userId, async (tx, superusers) => {
    requireAnotherSuperuser(superusers, userId);
    await deleteUser(tx, userId);
    await insertAuditEvent(tx, origin, "users.deleted", {
      targetUserId: userId,
      detail: `role ${before.roleSlug}`,
    });
  });
}

/**
 * Gives a role to the account of that address. Throws in the order of docs/http.md: 404, inactive,
 * the two 403s, 409.
 */
export async function assignRole(
  deps: UserDeps,
  origin: Origin,
  email: string,
  roleSlug: RoleSlug,
): Promise<string> {
  const user = await requireRoleHolder(deps.db, origin, email);
  const taken = () =>
    new AppError(
      "conflict",
      "users.role_already_assigned",
      `User ${email} already has the '${roleSlug}' role`,
    );
  if (user.roleSlug === roleSlug) throw taken();
  await changeGuarded(deps, origin, user.id, async (tx, superusers) => {
    if (user.roleSlug === "superuser") requireAnotherSuperuser(superusers, user.id);
    if ((await findUser(tx, { id: user.id }))?.roleSlug === roleSlug) throw taken();
    await updateUser(tx, user.id, { roleSlug });
    await insertAuditEvent(tx, origin, "users.role_assigned", {
      targetUserId: user.id,
      detail: roleSlug,
    });
  });
  return `Successfully assigned the '${roleSlug}' role to ${email}`;
}

/**
 * Takes a role from the account of that address, which is then an ordinary one. Throws as
 * `assignRole` does.
 */
export async function revokeRole(
  deps: UserDeps,
  origin: Origin,
  email: string,
  roleSlug: RoleSlug,
): Promise<string> {
  const user = await requireRoleHolder(deps.db, origin, email);
  const requireHeld = (current: string | undefined) => {
    if (current === roleSlug) return;
    const detail = `User ${email} currently has the '${current}' role, which does not match the requested role '${roleSlug}' for revocation`;
    throw new AppError("conflict", "users.role_mismatch", detail);
  };
  requireHeld(user.roleSlug);
  await changeGuarded(deps, origin, user.id, async (tx, superusers) => {
    if (roleSlug === "superuser") requireAnotherSuperuser(superusers, user.id);
    requireHeld((await findUser(tx, { id: user.id }))?.roleSlug);
    await updateUser(tx, user.id, { roleSlug: "application-access" });
    await insertAuditEvent(tx, origin, "users.role_revoked", {
      targetUserId: user.id,
      detail: roleSlug,
    });
  });
  return `Successfully revoked the '${roleSlug}' role for ${email} and set to default role 'application-access'`;
}

/**
 * Runs `work` with the account and every superuser locked; once it returns, no process trusts what
 * it remembered of the account. A signed-in actor must still be a superuser when the lock is had:
 * two who demote each other cannot both win.
 */
function changeGuarded<T>(
  { db, invalidations }: UserDeps,
  origin: Origin,
  userId: string,
  work: (tx: Db, superusers: string[]) => Promise<T>,
): Promise<T> {
  return invalidations.publish({ userId }, (invalidationMessage) =>
    db.transaction(async (tx) => {
      const superusers = await lockSuperusers(tx, userId);
      if (!superusers) throw userNotFound();
      if (origin.userId !== null && !superusers.includes(origin.userId)) {
        throw new AppError(
          "forbidden",
          "access.superuser_required",
          "Access denied: Superuser privileges required",
        );
      }
      const result = await work(tx, superusers);
      await sendInvalidation(tx, invalidationMessage);
      return result;
    }),
  );
}

function requireAnotherSuperuser(superusers: string[], userId: string) {
  if (superusers.includes(userId) && superusers.length === 1) {
    throw new AppError(
      "conflict",
      "users.last_superuser",
      "There must be another active superuser first",
    );
  }
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

async function requireRoleHolder(db: Db, origin: Origin, email: string): Promise<ManagedUser> {
  const user = await findUser(db, { email });
  if (!user) throw userNotFound();
  if (!user.isActive) {
    throw new AppError(
      "forbidden",
      "users.inactive",
      `Cannot modify role for inactive user ${email}`,
    );
  }
  refuseProtected(user, origin, true);
  return user;
}

function refuseProtected(user: ManagedUser, origin: Origin, isDestructive: boolean) {
  // The system administrator is out of reach of everyone but the operator of the machine.
  if (user.isSystemAdmin && origin.actor !== "operator") {
    const detail = "Forbidden: Cannot modify the primary system administrator account";
    throw new AppError("forbidden", "users.system_administrator", detail);
  }
  if (isDestructive && origin.userId === user.id) {
    const detail = "Self-action forbidden: Cannot perform destructive action on your own account";
    throw new AppError("forbidden", "users.self_action", detail);
  }
}

const takesPower = ({ isActive, isSuperuser }: AccountChanges) =>
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

const aboutChange = (targetUserId: string, changes: AccountChanges) => ({
  targetUserId,
  detail: Object.keys(changes).sort().join(", "),
});

function translateTaken<T>(email: string, work: () => Promise<T>): Promise<T> {
  const taken = `A user with the email '${email}' is already registered in the system`;
  const broken = {
    users_email_unique: () => new AppError("conflict", "users.email_taken", taken),
    users_system_admin_unique: () =>
      new AppError(
        "conflict",
        "users.system_administrator_exists",
        "There is a system administrator already",
      ),
  };
  return translateBroken(broken, work);
}

function withoutMark({ isSystemAdmin: _mark, ...user }: ManagedUser): PublicUser {
  return user;
}
