import { AppError } from "#lib/errors.ts";

export type RoleSlug = "application-access" | "superuser" | "fitness-trainer";

/** The user that sends a request, as of the last time the login was read from the database. */
export type Actor = {
  loginId: string;
  userId: string;
  email: string;
  name: string | null;
  roleSlug: RoleSlug;
};

/** Who may call an operation: anyone without a login, any signed-in user (`active`), or a role. */
export type Access = "anyone" | "active" | "superuser" | "trainer";

export const isSuperuser = (actor: Actor): boolean => actor.roleSlug === "superuser";
export const isTrainer = (actor: Actor): boolean => actor.roleSlug === "fitness-trainer";

/** Throws `forbidden` if the actor does not have the role that `access` requires. */
export function requireAccess(access: Access, actor: Actor): void {
  if (access === "superuser" && !isSuperuser(actor)) {
    throw new AppError(
      "forbidden",
      "access.superuser_required",
      "Access denied: Superuser privileges required",
    );
  }
  if (access === "trainer" && !isTrainer(actor)) {
    throw new AppError(
      "forbidden",
      "access.trainer_required",
      "Access restricted to fitness trainers",
    );
  }
}
