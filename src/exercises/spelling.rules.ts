import { createBoundedMap } from "#lib/bounded-map.ts";

/** Suggests corrections for misspelt words. */
export type SpellChecker = {
  /**
   * At most two words of the vocabulary that `word` may be a misspelling of, the likeliest first.
   * Empty if `word` is a part of one as it is. Words are in the form of `searchForm`.
   */
  corrections(word: string): string[];
};

const MIN_LETTERS = 3;
const MIN_LIKENESS = 0.5;
const MAX_CORRECTIONS = 2;
const MAX_CACHED_WORDS = 2000;

/**
 * Creates a spell checker for a vocabulary. Candidates come from a trigram index; they are ranked
 * by trigram similarity or edit distance, whichever is closer.
 */
export function createSpellChecker(vocabulary: string[]): SpellChecker {
  const text = vocabulary.join("\n");
  const trigramCounts = vocabulary.map((word) => trigramsOf(word).size);
  /** The indexes in `vocabulary` of the words that contain each trigram. */
  const postings = new Map<string, number[]>();
  vocabulary.forEach((word, index) => {
    for (const trigram of trigramsOf(word))
      postings.set(trigram, [...(postings.get(trigram) ?? []), index]);
  });

  const findCorrections = (word: string): string[] => {
    if (word.length < MIN_LETTERS || text.includes(word)) return [];
    const singular = /[^s]s$/.test(word) ? word.slice(0, -1) : "";
    if (singular.length >= MIN_LETTERS && text.includes(singular)) return [singular];
    const trigrams = trigramsOf(word);
    const sharedCounts = new Map<number, number>();
    for (const trigram of trigrams) {
      for (const index of postings.get(trigram) ?? [])
        sharedCounts.set(index, (sharedCounts.get(index) ?? 0) + 1);
    }
    const ranked: { candidate: string; likeness: number }[] = [];
    for (const [index, count] of sharedCounts) {
      const candidate = vocabulary[index] as string;
      const similarity = count / (trigrams.size + (trigramCounts[index] as number) - count);
      const likeness = Math.max(similarity, editLikeness(word, candidate));
      if (likeness >= MIN_LIKENESS) ranked.push({ candidate, likeness });
    }
    ranked.sort(
      (a, b) =>
        b.likeness - a.likeness ||
        a.candidate.length - b.candidate.length ||
        (a.candidate < b.candidate ? -1 : 1),
    );
    return ranked.slice(0, MAX_CORRECTIONS).map(({ candidate }) => candidate);
  };

  const cache = createBoundedMap<string, string[]>(MAX_CACHED_WORDS);
  return {
    corrections: (word) => {
      const corrections = cache.get(word) ?? findCorrections(word);
      cache.set(word, corrections);
      return corrections;
    },
  };
}

/** How many typing errors a word of this length may contain. */
const maxEdits = (length: number) => (length < 8 ? 1 : length < 12 ? 2 : 3);

/** 1 for equal words, less for each edit between them; 0 beyond `maxEdits`. */
function editLikeness(word: string, candidate: string): number {
  const limit = maxEdits(word.length);
  if (Math.abs(word.length - candidate.length) > limit) return 0;
  const edits = editDistance(word, candidate);
  return edits > limit ? 0 : 1 - edits / (Math.max(word.length, candidate.length) + 1);
}

/**
 * The least number of insertions, deletions, substitutions and transpositions of neighbours that
 * turn `a` into `b` (optimal string alignment, the restricted form of Damerau 1964).
 */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + substitution,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      }
      row.push(distance);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The trigrams of one word as pg_trgm counts them: padded with two blanks before, one after. */
export function trigramsOf(word: string): Set<string> {
  const padded = `  ${word} `;
  const trigrams = new Set<string>();
  for (let start = 0; start + 3 <= padded.length; start++)
    trigrams.add(padded.slice(start, start + 3));
  return trigrams;
}
