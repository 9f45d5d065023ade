/**
 * The best suggestion for a mistyped word: a candidate of which it is a prefix or that is a prefix
 * of it, else the one with the smallest edit distance (Levenshtein 1966). Undefined if none is
 * within a third of the word's length.
 */
export function nearest(word: string, candidates: string[]): string | undefined {
  const prefixed = candidates.find(
    (candidate) => word !== "" && (candidate.startsWith(word) || word.startsWith(candidate)),
  );
  if (prefixed && Math.min(prefixed.length, word.length) > 2) return prefixed;
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best && best.edits <= Math.max(2, Math.ceil(word.length / 3)) ? best.candidate : undefined;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
