import { nearest } from "#lib/command-line/nearest.ts";
import { OperatorError } from "#lib/errors.ts";

/** Options as cac gives them. */
export type Given = Record<string, string | number | boolean | undefined>;

/** A number of at least `least`, and above 0 unless that is 0. Throws OperatorError. */
export function positive(option: string, given: unknown, least = Number.MIN_VALUE): number {
  const value = Number(given);
  if (!(value >= least && Number.isFinite(value)))
    throw new OperatorError(`${option} takes a number above 0`, 2);
  return value;
}

/** One of `words`. Throws OperatorError, which has the nearest. */
export function oneOf<Word extends string>(
  option: string,
  given: unknown,
  words: readonly Word[],
): Word {
  const found = words.find((word) => word === given);
  if (found) return found;
  const near = nearest(String(given), [...words]);
  throw new OperatorError(
    `${option} is one of ${words.join(", ")}${near ? `: did you mean ${near}?` : ""}`,
    2,
  );
}

/** Where a result goes, and in which form it is printed. */
export const resultOptionsOf = ({ out, json }: Given) => ({
  isJson: json === true,
  ...(out ? { out: String(out) } : {}),
});
