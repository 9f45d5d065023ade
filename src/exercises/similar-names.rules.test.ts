import { expect, test } from "bun:test";
import fc from "fast-check";
import { withApi } from "#test/harness.ts";
import { createNameIndex } from "./similar-names.rules.ts";

test("exercises are found by names that are spelt nearly alike, the most similar first, at most five", () => {
  const index = createNameIndex([
    { id: "a", name: "Barbell Bench Press", searchText: "\nbarbell bench press\nflat bench\n" },
    { id: "b", name: "Bench Press", searchText: "\nbench press\n" },
    { id: "c", name: "Squat", searchText: "\nsquat\n" },
    ...Array.from({ length: 9 }, (_, n) => ({
      id: `d${n}`,
      name: `Bench ${n}`,
      searchText: `\nbench ${n}\n`,
    })),
  ]);
  expect(index.similarTo("bench pres").map(({ exerciseId }) => exerciseId)).toEqual([
    "b",
    "a",
    "d0",
    "d1",
    "d2",
  ]);
  expect(index.similarTo("flat bench")[0]).toEqual({
    exerciseId: "a",
    exerciseName: "Barbell Bench Press",
    similarity: 1,
  });
  expect(index.similarTo("zqx")).toEqual([]);
  expect(index.similarTo("")).toEqual([]);
});

test(
  "the similarity is the one that pg_trgm finds",
  withApi(async (_api, { sql }) => {
    const word = fc.string({
      unit: fc.constantFrom("a", "b", "c", "d", "1"),
      minLength: 1,
      maxLength: 5,
    });
    const form = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(" "));
    await fc.assert(
      fc.asyncProperty(form, form, async (a, b) => {
        const [row] = await sql<{ similarity: number }[]>`select similarity(${a}, ${b})`;
        const [found] = createNameIndex([{ id: "a", name: "A", searchText: `\n${a}\n` }]).similarTo(
          b,
        );
        const similarity = row?.similarity ?? 0;
        if (similarity < 0.295) expect(found).toBeUndefined();
        if (similarity > 0.305) expect(found?.similarity).toBeCloseTo(similarity, 1);
      }),
      { numRuns: 50 },
    );
  }),
);
