import { OperatorError } from "#lib/errors.ts";
import { isExecutable } from "#lib/shipped-files.ts";

/** Throws OperatorError in the executable, because `command` needs the sources. */
export function requireCheckout(command: string): void {
  if (isExecutable) throw new OperatorError(`${command} needs a checkout of the repository`, 2);
}
