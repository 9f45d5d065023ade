import { createBoundedMap } from "#lib/bounded-map.ts";
import { createSpellChecker } from "./spelling.rules.ts";

/**
 * An exercise of the catalog; `searchText` has its name and aliases in the form of `searchForm`.
 */
export type SearchableExercise = { id: string; searchText: string };

/** A word of a query: its `searchForm` as typed, and likely corrections, the likeliest first. */
export type SearchTerm = { form: string; corrections: string[] };

/** Matching exercises, and the distance of each from the query (`distanceFrom`). */
export type CatalogMatches = { ids: string[]; distances: number[] };

/** An inverted index of the catalog: from the words of names and aliases to exercises. */
export type CatalogSearch = {
  /** The term for a word of a query; `form` is its `searchForm`. */
  termOf(form: string): SearchTerm;
  /**
   * The exercises whose names and aliases contain every term, as a word or a part of one; in the
   * order in which they were indexed.
   */
  match(terms: SearchTerm[]): CatalogMatches;
  /** The approximate size of the index in memory. */
  bytes: number;
};

/**
 * The exercises that contain a term: their indexes, ascending, and a bitmap with a byte for each.
 */
type Postings = { indexes: number[]; bitmap: Uint8Array };

const MIN_LETTERS = 3;
const BYTES_PER_EXERCISE = 200;
/** Most of it is the trigram index of the spell checker. */
const BYTES_PER_WORD = 400;
const MAX_CACHED_TERMS = 200;

export function createCatalogSearch(exercises: SearchableExercise[]): CatalogSearch {
  // No term contains a blank, so an exercise contains a term if one of its words does.
  const exercisesByWord = new Map<string, number[]>();
  exercises.forEach(({ searchText }, index) => {
    for (const word of new Set(searchText.split(/\s+/u))) {
      const indexes = exercisesByWord.get(word);
      if (indexes) indexes.push(index);
      else exercisesByWord.set(word, [index]);
    }
  });
  const parts = [...exercisesByWord.keys()].flatMap((word) => word.split(/[^\p{L}\p{N}]+/u));
  const spellChecker = createSpellChecker([
    ...new Set(parts.filter(({ length }) => length >= MIN_LETTERS)),
  ]);

  const cache = createBoundedMap<string, Postings>(MAX_CACHED_TERMS);
  const postingsOf = (term: SearchTerm): Postings => {
    const cached = cache.get(term.form);
    if (cached) return cached;
    const bitmap = new Uint8Array(exercises.length);
    for (const alternative of alternativesOf(term)) {
      for (const [word, indexes] of exercisesByWord) {
        if (word.includes(alternative)) for (const index of indexes) bitmap[index] = 1;
      }
    }
    const postings = { bitmap, indexes: [...bitmap.keys()].filter((index) => bitmap[index]) };
    cache.set(term.form, postings);
    return postings;
  };
  return {
    termOf: (form) => ({ form, corrections: spellChecker.corrections(form) }),
    match: (terms) => {
      const [rarest, ...others] = terms
        .map(postingsOf)
        .sort((a, b) => a.indexes.length - b.indexes.length);
      const indexes =
        rarest?.indexes.filter((index) => others.every(({ bitmap }) => bitmap[index])) ?? [];
      const matches = indexes.map((index) => exercises[index] as SearchableExercise);
      const distanceTo = distanceFrom(terms);
      return {
        ids: matches.map(({ id }) => id),
        distances: matches.map(({ searchText }) => distanceTo(searchText)),
      };
    },
    bytes:
      exercises.length * (BYTES_PER_EXERCISE + MAX_CACHED_TERMS) +
      exercisesByWord.size * BYTES_PER_WORD,
  };
}

/**
 * The texts of which a match contains at least one: the term's corrections, or if it has none the
 * word as typed. A text that contains another is left out.
 */
export function alternativesOf({
  form,
  corrections: [first = form, second = first],
}: SearchTerm): string[] {
  return second.includes(first) ? [first] : first.includes(second) ? [second] : [first, second];
}

/** Exceeds any difference in length: names have at most 100 characters. */
export const ALIAS_PENALTY = 1000;

/** The query with each term replaced by its likeliest correction. */
export const correctedQuery = (terms: SearchTerm[]): string =>
  terms.map(({ form, corrections }) => corrections[0] ?? form).join(" ");

/**
 * Ranks exercises that match every term, the nearest first in ascending order: 0 if the query is
 * exactly the name or an alias, then names that contain every term, then exercises that do so only
 * by an alias. Shorter names rank first, because less of them is something else. (pg_trgm's
 * similarity gives the same order at ten times the cost.)
 */
function distanceFrom(terms: SearchTerm[]): (searchText: string) => number {
  const exactLine = `\n${correctedQuery(terms)}\n`;
  const alternatives = terms.map(alternativesOf);
  return (searchText) => {
    if (searchText.includes(exactLine)) return 0;
    const name = searchText.slice(1, searchText.indexOf("\n", 1));
    const isInName = alternatives.every((texts) => texts.some((text) => name.includes(text)));
    return [...name].length + (isInName ? 0 : ALIAS_PENALTY);
  };
}
