import { trigramsOf } from "./spelling.rules.ts";

/**
 * An exercise and its `searchText`: its name and aliases in the form of `searchForm`, one a line.
 */
export type NamedForSearch = { id: string; name: string; searchText: string };
/** `similarity` is pg_trgm's: the share of trigrams that two names have in common, from 0 to 1. */
export type SimilarExercise = { exerciseId: string; exerciseName: string; similarity: number };

export type NameIndex = {
  /**
   * The exercises whose names or aliases are most like `form`, a `searchForm`, the most similar
   * first; at most five.
   */
  similarTo(form: string): SimilarExercise[];
  /** The approximate size of the index in memory. */
  bytes: number;
};

/** Names that are less similar share little more than common words. */
const MIN_SIMILARITY = 0.3;
const MAX_SIMILAR = 5;
const BYTES_PER_TRIGRAM = 8;

/**
 * Finds exercises by names that are spelt nearly alike, by the trigrams that both have. A search
 * takes well below 1 ms.
 */
export function createNameIndex(exercises: NamedForSearch[]): NameIndex {
  const placesWith = new Map<string, number[]>();
  const exerciseAt: number[] = [];
  const trigramCounts: number[] = [];
  exercises.forEach(({ searchText }, exercise) => {
    for (const form of new Set(searchText.split("\n"))) {
      const trigrams = trigramsIn(form);
      if (trigrams.size === 0) continue;
      const place = exerciseAt.push(exercise) - 1;
      trigramCounts.push(trigrams.size);
      for (const trigram of trigrams) {
        const places = placesWith.get(trigram);
        if (places) places.push(place);
        else placesWith.set(trigram, [place]);
      }
    }
  });
  const shared = new Uint16Array(exerciseAt.length);

  return {
    similarTo: (form) => {
      const trigrams = trigramsIn(form);
      shared.fill(0);
      for (const trigram of trigrams) {
        for (const place of placesWith.get(trigram) ?? [])
          shared[place] = (shared[place] as number) + 1;
      }
      const best = new Map<number, number>();
      shared.forEach((count, place) => {
        if (count === 0) return;
        const similarity = count / (trigrams.size + (trigramCounts[place] as number) - count);
        const exercise = exerciseAt[place] as number;
        if (similarity >= MIN_SIMILARITY && similarity > (best.get(exercise) ?? 0))
          best.set(exercise, similarity);
      });
      const similar = [...best].map(([exercise, similarity]) => {
        const { id, name } = exercises[exercise] as NamedForSearch;
        return {
          exerciseId: id,
          exerciseName: name,
          similarity: Math.round(similarity * 100) / 100,
        };
      });
      return mostSimilar(similar);
    },
    bytes:
      trigramCounts.reduce((sum, count) => sum + count, 0) * BYTES_PER_TRIGRAM +
      exercises.length * 400,
  };
}

/** The five most similar; ties are ordered by name. */
export const mostSimilar = (similar: SimilarExercise[]): SimilarExercise[] =>
  similar
    .sort((a, b) => b.similarity - a.similarity || (a.exerciseName < b.exerciseName ? -1 : 1))
    .slice(0, MAX_SIMILAR);

/** The trigrams of each word; a word is a run of letters and digits. */
function trigramsIn(form: string): Set<string> {
  const trigrams = new Set<string>();
  for (const word of form.match(/[\p{L}\p{N}]+/gu) ?? [])
    for (const trigram of trigramsOf(word)) trigrams.add(trigram);
  return trigrams;
}
