import { AppError } from "#lib/errors.ts";

export type RoleSlug = "application-access" | "superuser" | "fitness-trainer";

/** Who is asking, as the database knew them when the login was last checked. */
export type Actor = {
  loginId: string;
  userId: string;
  email: string;
  name: string | null;
  roleSlug: RoleSlug;
};

/**
 * Who may call an operation. `anyone` needs no login; `active` any signed-in user; the others a
 * role.
 */
export type Access = "anyone" | "active" | "superuser" | "trainer";

export const isSuperuser = (actor: Actor): boolean => actor.roleSlug === "superuser";
export const isTrainer = (actor: Actor): boolean => actor.roleSlug === "fitness-trainer";

/** Throws `forbidden` when the actor's role does not allow what `access` asks for. */
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
