import { createBoundedMap } from "#lib/bounded-map.ts";
import { createSpeller } from "./spelling.rules.ts";

/**
 * An exercise of the catalog with what it is found by: `search_text`, its names and aliases in the
 * form of `searchForm`.
 */
export type SearchableExercise = { id: string; searchText: string };

/**
 * What a search looks for. `form`: a word as it was typed, in its `searchForm`; `meant`: the words
 * of the catalog that it may be meant to be, the likeliest first.
 */
export type SearchedWord = { form: string; meant: string[] };

/** Exercises, and how far each is from what was searched (`distance`). */
export type FoundExercises = { ids: string[]; distances: number[] };

/** The catalog's exercises by the words of their names and aliases. */
export type CatalogSearch = {
  /** What somebody looks for who typed a word; `form` is its `searchForm`. */
  wordOf(form: string): SearchedWord;
  /**
   * The exercises in whose names and aliases every word stands, whole or as a part of one; in the
   * order given.
   */
  find(words: SearchedWord[]): FoundExercises;
  /** What all of this takes in memory, about. */
  bytes: number;
};

/**
 * The exercises in which a word stands: their places in order, and one byte for each exercise, 1
 * where it does.
 */
type Holders = { places: number[]; marks: Uint8Array };

const MIN_LETTERS = 3;
const BYTES_PER_EXERCISE = 200;
/** Of which the trigrams of spelling have most. */
const BYTES_PER_WORD = 400;
const MAX_CACHED_SEARCHES = 200;

export function createCatalogSearch(exercises: SearchableExercise[]): CatalogSearch {
  // No searched word has a blank in it, so it stands in an exercise when it stands in one of its
  // words.
  const placesOf = new Map<string, number[]>();
  exercises.forEach(({ searchText }, place) => {
    for (const word of new Set(searchText.split(/\s+/u))) {
      const places = placesOf.get(word);
      if (places) places.push(place);
      else placesOf.set(word, [place]);
    }
  });
  const parts = [...placesOf.keys()].flatMap((word) => word.split(/[^\p{L}\p{N}]+/u));
  const speller = createSpeller([...new Set(parts.filter(({ length }) => length >= MIN_LETTERS))]);

  const answerFromCache = createBoundedMap<string, Holders>(MAX_CACHED_SEARCHES);
  const holdersOf = (word: SearchedWord): Holders => {
    const known = answerFromCache.get(word.form);
    if (known) return known;
    const marks = new Uint8Array(exercises.length);
    for (const needle of needlesOf(word)) {
      for (const [holder, places] of placesOf) {
        if (holder.includes(needle)) for (const place of places) marks[place] = 1;
      }
    }
    const holders = { marks, places: [...marks.keys()].filter((place) => marks[place]) };
    answerFromCache.set(word.form, holders);
    return holders;
  };
  return {
    wordOf: (form) => ({ form, meant: speller.wordsMeant(form) }),
    find: (searched) => {
      const [fewest, ...others] = searched
        .map(holdersOf)
        .sort((a, b) => a.places.length - b.places.length);
      const places =
        fewest?.places.filter((place) => others.every(({ marks }) => marks[place])) ?? [];
      const found = places.map((place) => exercises[place] as SearchableExercise);
      const distanceTo = distanceFrom(searched);
      return {
        ids: found.map(({ id }) => id),
        distances: found.map(({ searchText }) => distanceTo(searchText)),
      };
    },
    bytes:
      exercises.length * (BYTES_PER_EXERCISE + MAX_CACHED_SEARCHES) +
      placesOf.size * BYTES_PER_WORD,
  };
}

/** What to look for: a word that may be meant to be others stands in none of its names as it is. */
export function needlesOf({ form, meant: [first = form, second = first] }: SearchedWord): string[] {
  return second.includes(first) ? [first] : first.includes(second) ? [second] : [first, second];
}

/** What is worse than any difference in length: names are at most 100 characters long. */
export const NOT_IN_THE_NAME = 1000;

/** What somebody is taken to have searched for. */
export const searchedText = (words: SearchedWord[]): string =>
  words.map(({ form, meant }) => meant[0] ?? form).join(" ");

/**
 * How far an exercise that holds every word is from them, the nearest first in ascending order: 0
 * for exactly that name or alias, then names that hold every word, then those of which only an
 * alias does; the shorter ones first, since less of them is something else. (pg_trgm's similarity
 * orders them alike, and costs ten times as much.)
 */
function distanceFrom(words: SearchedWord[]): (searchText: string) => number {
  const exactly = `\n${searchedText(words)}\n`;
  const needles = words.map(needlesOf);
  return (searchText) => {
    if (searchText.includes(exactly)) return 0;
    const name = searchText.slice(1, searchText.indexOf("\n", 1));
    const isInTheName = needles.every((either) => either.some((needle) => name.includes(needle)));
    return [...name].length + (isInTheName ? 0 : NOT_IN_THE_NAME);
  };
}
