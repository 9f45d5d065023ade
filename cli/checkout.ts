import { OperatorError } from "#lib/errors.ts";
import { isExecutable } from "#lib/shipped-files.ts";

/** Throws OperatorError in the executable that ships, which has no sources to do `command` with. */
export function requireCheckout(command: string): void {
  if (isExecutable) throw new OperatorError(`${command} needs a checkout of the repository`, 2);
}
