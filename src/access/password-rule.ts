import { dictionary } from "@zxcvbn-ts/language-common";
import { AppError } from "#lib/errors.ts";

let common: Set<string> | undefined;

/**
 * Refuses a new password that is one of the 49,000 commonest, the email address or its local part,
 * or the product's name. The schema checks the length; there are no composition rules (OWASP ASVS
 * 5, 6.2.5). Throws `invalid` (`access.weak_password`), which names `field`.
 */
export function requireStrongPassword(password: string, email: string, field = "/password"): void {
  common ??= new Set(dictionary["passwords-common"] as string[]);
  const folded = password.normalize("NFKC").toLowerCase();
  const localPart = email.split("@")[0] ?? "";
  const message = common.has(folded)
    ? "This password is among the commonest ones; please choose another"
    : folded === email || folded === localPart || folded.replace(/[^a-z]/g, "") === "irontrack"
      ? "Please choose a password that is not made of your email address or our name"
      : undefined;
  if (message)
    throw new AppError("invalid", "access.weak_password", message, {
      errors: [{ field, code: "weak", message }],
    });
}
