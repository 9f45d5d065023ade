import { trigramsOf } from "./spelling.rules.ts";

/** An exercise; `searchText` has its name and aliases, one a line, in the form of `searchForm`. */
export type IndexedExercise = { id: string; name: string; searchText: string };

/** `similarity` is pg_trgm's: the share of trigrams that two names have in common, from 0 to 1. */
export type SimilarExercise = { exerciseId: string; exerciseName: string; similarity: number };

export type NameIndex = {
  /**
   * At most five exercises whose name or an alias is similar to `form`, a `searchForm`; the most
   * similar first.
   */
  similarTo(form: string): SimilarExercise[];
  /** The approximate size of the index in memory. */
  bytes: number;
};

/** Below this, names share little more than common words. */
const MIN_SIMILARITY = 0.3;
const MAX_SIMILAR = 5;
const BYTES_PER_TRIGRAM = 8;

/** Creates a trigram index of names and aliases. A lookup takes well below 1 ms. */
export function createNameIndex(exercises: IndexedExercise[]): NameIndex {
  /** The ids of the names that contain each trigram; ids count from 0. */
  const postings = new Map<string, number[]>();
  const exerciseOfName: number[] = [];
  const trigramCounts: number[] = [];
  exercises.forEach(({ searchText }, exercise) => {
    for (const name of new Set(searchText.split("\n"))) {
      const trigrams = trigramsIn(name);
      if (trigrams.size === 0) continue;
      const nameId = exerciseOfName.push(exercise) - 1;
      trigramCounts.push(trigrams.size);
      for (const trigram of trigrams) {
        const nameIds = postings.get(trigram);
        if (nameIds) nameIds.push(nameId);
        else postings.set(trigram, [nameId]);
      }
    }
  });
  const sharedCounts = new Uint16Array(exerciseOfName.length);

  return {
    similarTo: (form) => {
      const trigrams = trigramsIn(form);
      sharedCounts.fill(0);
      for (const trigram of trigrams) {
        for (const nameId of postings.get(trigram) ?? [])
          sharedCounts[nameId] = (sharedCounts[nameId] as number) + 1;
      }
      const bestByExercise = new Map<number, number>();
      sharedCounts.forEach((count, nameId) => {
        if (count === 0) return;
        const similarity = count / (trigrams.size + (trigramCounts[nameId] as number) - count);
        const exercise = exerciseOfName[nameId] as number;
        if (similarity >= MIN_SIMILARITY && similarity > (bestByExercise.get(exercise) ?? 0))
          bestByExercise.set(exercise, similarity);
      });
      const similar = [...bestByExercise].map(([exercise, similarity]) => {
        const { id, name } = exercises[exercise] as IndexedExercise;
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

/** The trigrams of every word of `name`; a word is a run of letters and digits. */
function trigramsIn(name: string): Set<string> {
  const trigrams = new Set<string>();
  for (const word of name.match(/[\p{L}\p{N}]+/gu) ?? [])
    for (const trigram of trigramsOf(word)) trigrams.add(trigram);
  return trigrams;
}
