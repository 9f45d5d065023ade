import { expect, test } from "bun:test";
import fc from "fast-check";
import { createSpellChecker, editDistance } from "./spelling.rules.ts";

const spellChecker = createSpellChecker([
  "bulgarian",
  "split",
  "squat",
  "quad",
  "bench",
  "curl",
  "dumbbell",
  "dumbbells",
  "skullcrusher",
  "lateral",
]);

test.each([
  ["bulgrian", ["bulgarian"]],
  ["sqat", ["squat"]],
  ["crul", ["curl"]],
  ["bnech", ["bench"]],
  ["dumbell", ["dumbbell", "dumbbells"]],
  ["latterals", ["lateral"]],
  ["skulcrusher", ["skullcrusher"]],
  // A part of a known word needs no correction.
  ["squat", []],
  ["skull", []],
  ["squats", ["squat"]],
  ["xyz", []],
  ["qu", []],
  ["", []],
])("the corrections of %p are %p", (typed, corrections) => {
  expect(spellChecker.corrections(typed)).toEqual(corrections);
});

test("one typing error in a word of eight or more letters is corrected", () => {
  const words = ["deadlift", "kettlebell", "overhead", "shoulder", "romanian"];
  const checker = createSpellChecker(words);
  fc.assert(
    fc.property(
      fc.constantFrom(...words),
      fc.nat(),
      fc.constantFrom("delete", "swap", "double"),
      (word, seed, edit) => {
        const index = seed % (word.length - 1);
        const before = word.slice(0, index);
        const after = word.slice(index + 2);
        const [first, second] = [word[index], word[index + 1]];
        const edited = {
          delete: `${second}`,
          swap: `${second}${first}`,
          double: `${first}${first}${second}`,
        };
        const typed = before + edited[edit] + after;
        const corrections = checker.corrections(typed);
        expect(word.includes(typed) || corrections.includes(word)).toBe(true);
      },
    ),
  );
});

test("the edit distance is a symmetric distance that counts a transposition once", () => {
  expect([
    editDistance("curl", "crul"),
    editDistance("", "abc"),
    editDistance("bench", "bench"),
  ]).toEqual([1, 3, 0]);
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
