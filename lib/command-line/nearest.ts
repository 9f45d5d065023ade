/**
 * The candidate that begins as `word` does or the other way round, else the one with the fewest
 * edits (Levenshtein 1966); undefined when none is within a third of its length.
 */
export function nearest(word: string, candidates: string[]): string | undefined {
  const longer = candidates.find(
    (candidate) => word !== "" && (candidate.startsWith(word) || word.startsWith(candidate)),
  );
  if (longer && Math.min(longer.length, word.length) > 2) return longer;
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
