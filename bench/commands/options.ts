import { nearest } from "#lib/command-line/nearest.ts";
import { OperatorError } from "#lib/errors.ts";

/** The parsed options of cac. */
export type Options = Record<string, string | number | boolean | undefined>;

/** A finite number of at least `min`; by default above 0. Throws OperatorError otherwise. */
export function positive(option: string, value: unknown, min = Number.MIN_VALUE): number {
  const number = Number(value);
  if (!(number >= min && Number.isFinite(number)))
    throw new OperatorError(`${option} takes a number above 0`, 2);
  return number;
}

/** One of `words`. Throws OperatorError with a suggestion otherwise. */
export function oneOf<Word extends string>(
  option: string,
  value: unknown,
  words: readonly Word[],
): Word {
  const match = words.find((word) => word === value);
  if (match) return match;
  const suggestion = nearest(String(value), [...words]);
  const hint = suggestion ? `: did you mean ${suggestion}?` : "";
  throw new OperatorError(`${option} is one of ${words.join(", ")}${hint}`, 2);
}

/** The options --out and --json of a result. */
export const resultOptionsOf = ({ out, json }: Options) => ({
  isJson: json === true,
  ...(out ? { out: String(out) } : {}),
});
