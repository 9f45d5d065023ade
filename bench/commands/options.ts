import { nearest } from "#lib/command-line/nearest.ts";
import { OperatorError } from "#lib/errors.ts";

/** The parsed options of cac. */
export type Given = Record<string, string | number | boolean | undefined>;

/** A finite number of at least `min`; by default above 0. Throws OperatorError otherwise. */
export function positive(option: string, given: unknown, min = Number.MIN_VALUE): number {
  const value = Number(given);
  if (!(value >= min && Number.isFinite(value)))
    throw new OperatorError(`${option} takes a number above 0`, 2);
  return value;
}

/** One of `words`. Throws OperatorError with a suggestion otherwise. */
export function oneOf<Word extends string>(
  option: string,
  given: unknown,
  words: readonly Word[],
): Word {
  const match = words.find((word) => word === given);
  if (match) return match;
  const suggestion = nearest(String(given), [...words]);
  const hint = suggestion ? `: did you mean ${suggestion}?` : "";
  throw new OperatorError(`${option} is one of ${words.join(", ")}${hint}`, 2);
}

/** The options --out and --json of a result. */
export const resultOptionsOf = ({ out, json }: Given) => ({
  isJson: json === true,
  ...(out ? { out: String(out) } : {}),
});
