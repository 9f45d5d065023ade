import { dictionary } from "@zxcvbn-ts/language-common";
import { AppError } from "#lib/errors.ts";

let common: Set<string> | undefined;

/**
 * The one rule for new passwords, whoever sets them: not among the commonest (49,000 of them), not
 * the email address or its local part, not made of the product's name. Length is the schema's. No
 * rule of composition (OWASP ASVS 5, 6.2.5). Throws `invalid` (`access.weak_password`); `field` is
 * where the password was given.
 */
export function requireStrongPassword(password: string, email: string, field = "/password"): void {
  common ??= new Set(dictionary["passwords-common"] as string[]);
  const folded = password.normalize("NFKC").toLowerCase();
  const localPart = email.split("@")[0] ?? "";
  const why = common.has(folded)
    ? "This password is among the commonest ones; please choose another"
    : folded === email || folded === localPart || folded.replace(/[^a-z]/g, "") === "irontrack"
      ? "Please choose a password that is not made of your email address or our name"
      : undefined;
  if (why)
    throw new AppError("invalid", "access.weak_password", why, {
      errors: [{ field, code: "weak", message: why }],
    });
}
