import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import { insertAuditEvent } from "../audit/audit.queries.ts";
import type { Origin } from "../audit/origin.ts";
import type { RoleSlug } from "../permissions/actor.ts";
import {
  changeLocked,
  refuseProtected,
  requireAnotherSuperuser,
  type UserDeps,
  userNotFound,
} from "./guards.service.ts";
import { findUser, type ManagedUser, updateUser } from "./users.queries.ts";

/**
 * Assigns a role to an account. Throws not_found; forbidden for an inactive account, for the system
 * administrator, and for one's own account; conflict if the account has the role.
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
  await changeLocked(deps, origin, user.id, async (tx, superusers) => {
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
 * Revokes a role of an account, which then has the default role. Throws as `assignRole` does, and
 * conflict if the account does not have the role.
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
  await changeLocked(deps, origin, user.id, async (tx, superusers) => {
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
