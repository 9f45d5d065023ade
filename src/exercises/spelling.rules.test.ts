import { expect, test } from "bun:test";
import fc from "fast-check";
import { createSpeller, editDistance } from "./spelling.rules.ts";

const speller = createSpeller([
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
  // As it stands in a word there is nothing to mend.
  ["squat", []],
  ["skull", []],
  ["squats", ["squat"]],
  ["xyz", []],
  ["qu", []],
  ["", []],
])("who types %p may mean %p", (typed, meant) => {
  expect(speller.wordsMeant(typed)).toEqual(meant);
});

test("one wrong letter in a word of five or more is forgiven", () => {
  const words = ["deadlift", "kettlebell", "overhead", "shoulder", "romanian"];
  const one = createSpeller(words);
  fc.assert(
    fc.property(
      fc.constantFrom(...words),
      fc.nat(),
      fc.constantFrom("delete", "swap", "double"),
      (word, at, how) => {
        const place = at % (word.length - 1);
        const rest = word.slice(place + 2);
        const [first, second] = [word[place], word[place + 1]];
        const typed =
          word.slice(0, place) +
          (how === "delete"
            ? `${second}${rest}`
            : how === "swap"
              ? `${second}${first}${rest}`
              : `${first}${first}${second}${rest}`);
        const meant = one.wordsMeant(typed);
        expect(typed === word || word.includes(typed) || meant.includes(word)).toBe(true);
      },
    ),
  );
});

test("the edit distance is one of a metric, and counts a swap once", () => {
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
