import { createBoundedMap } from "#lib/bounded-map.ts";

/** Finds what somebody may have meant who typed a word that is not there. */
export type Speller = {
  /**
   * The words that `word` may have been meant to be, the likeliest first, at most two; none when it
   * stands in one of them as it is. In the form of `searchForm`, as the words are.
   */
  wordsMeant(word: string): string[];
};

const MIN_LETTERS = 3;
const MIN_LIKENESS = 0.5;
const MAX_CORRECTIONS = 2;
const MAX_CACHED_WORDS = 2000;

/**
 * A speller of `words`, which it looks through by the trigrams that they share with what was typed.
 */
export function createSpeller(words: string[]): Speller {
  const text = words.join("\n");
  const trigramCounts = words.map((word) => trigramsOf(word).size);
  const wordsWith = new Map<string, number[]>();
  words.forEach((word, at) => {
    for (const trigram of trigramsOf(word))
      wordsWith.set(trigram, [...(wordsWith.get(trigram) ?? []), at]);
  });

  const find = (word: string): string[] => {
    if (word.length < MIN_LETTERS || text.includes(word)) return [];
    const singular = /[^s]s$/.test(word) ? word.slice(0, -1) : "";
    if (singular.length >= MIN_LETTERS && text.includes(singular)) return [singular];
    const trigrams = trigramsOf(word);
    const shared = new Map<number, number>();
    for (const trigram of trigrams) {
      for (const at of wordsWith.get(trigram) ?? []) shared.set(at, (shared.get(at) ?? 0) + 1);
    }
    const near: { known: string; likeness: number }[] = [];
    for (const [at, count] of shared) {
      const known = words[at] as string;
      const similarity = count / (trigrams.size + (trigramCounts[at] as number) - count);
      const likeness = Math.max(similarity, editLikeness(word, known));
      if (likeness >= MIN_LIKENESS) near.push({ known, likeness });
    }
    near.sort(
      (a, b) =>
        b.likeness - a.likeness || a.known.length - b.known.length || (a.known < b.known ? -1 : 1),
    );
    return near.slice(0, MAX_CORRECTIONS).map(({ known }) => known);
  };

  const answerFromCache = createBoundedMap<string, string[]>(MAX_CACHED_WORDS);
  return {
    wordsMeant: (word) => {
      const meant = answerFromCache.get(word) ?? find(word);
      answerFromCache.set(word, meant);
      return meant;
    },
  };
}

/** Letters that may be wrong in a word of that length. */
const mistakesAllowed = (length: number) => (length < 8 ? 1 : length < 12 ? 2 : 3);

/** Falls from 1 by each mistake; 0 when there are more than a word of that length may have. */
function editLikeness(word: string, known: string): number {
  const allowed = mistakesAllowed(word.length);
  if (Math.abs(word.length - known.length) > allowed) return 0;
  const mistakes = editDistance(word, known);
  return mistakes > allowed ? 0 : 1 - mistakes / (Math.max(word.length, known.length) + 1);
}

/**
 * The fewest insertions, deletions, replacements and swaps of neighbours from `a` to `b` (optimal
 * string alignment, the restricted form of Damerau 1964).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let fewest = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        fewest = Math.min(fewest, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(fewest);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** pg_trgm's trigrams of one word: two blanks before it, one after. */
export function trigramsOf(word: string): Set<string> {
  const padded = `  ${word} `;
  const trigrams = new Set<string>();
  for (let at = 0; at + 3 <= padded.length; at++) trigrams.add(padded.slice(at, at + 3));
  return trigrams;
}
