import { searchForm } from "../exercises/slug.rules.ts";

/** An exercise name for comparison: lower case, without accents, single spaces. */
export const normalizeName = (name: string): string =>
  searchForm(name).replaceAll(/\s+/g, " ").trim();

/**
 * The normalized names that an exercise may have in the catalog, the likeliest first: other apps
 * write `Squat (Barbell)`.
 */
export function nameVariants(name: string): string[] {
  const normalized = normalizeName(name);
  const [, movement, equipment] = /^(.+?) \(([^()]+)\)$/.exec(normalized) ?? [];
  return movement === undefined
    ? [normalized]
    : [normalized, `${equipment} ${movement}`, `${movement} ${equipment}`];
}
