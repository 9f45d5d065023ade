import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Passwords } from "../access/passwords.ts";
import type { Origin } from "../audit/origin.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import { lockSuperusers, type ManagedUser } from "./users.queries.ts";

export type UserDeps = { db: Db; passwords: Passwords; invalidations: Invalidations };

export const userNotFound = () => new AppError("not_found", "users.not_found", "User not found");

/**
 * Runs `work` with the account and all superusers locked. Once this returns, no process has the
 * account in its cache. A signed-in actor must still be a superuser once the locks are held, so
 * that two superusers who demote each other cannot both succeed.
 */
export function changeLocked<T>(
  { db, invalidations }: UserDeps,
  origin: Origin,
  userId: string,
  work: (tx: Db, superusers: string[]) => Promise<T>,
): Promise<T> {
  return invalidations.publish({ userId }, (message) =>
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
      await sendInvalidation(tx, message);
      return result;
    }),
  );
}

/** Throws conflict (`users.last_superuser`) if `userId` is the only active superuser. */
export function requireAnotherSuperuser(superusers: string[], userId: string) {
  if (superusers.includes(userId) && superusers.length === 1) {
    throw new AppError(
      "conflict",
      "users.last_superuser",
      "There must be another active superuser first",
    );
  }
}

/**
 * Throws forbidden if only the operator of the machine may change the account, or if the change is
 * destructive and the account is the actor's own.
 */
export function refuseProtected(user: ManagedUser, origin: Origin, isDestructive: boolean) {
  if (user.isSystemAdmin && origin.actor !== "operator") {
    const detail = "Forbidden: Cannot modify the primary system administrator account";
    throw new AppError("forbidden", "users.system_administrator", detail);
  }
  if (isDestructive && origin.userId === user.id) {
    const detail = "Self-action forbidden: Cannot perform destructive action on your own account";
    throw new AppError("forbidden", "users.self_action", detail);
  }
}
