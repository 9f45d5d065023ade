import { expect, test } from "bun:test";
import fc from "fast-check";
import { withApi } from "#test/harness.ts";
import { createNameIndex } from "./similar-names.rules.ts";

test("at most five exercises with similar names are found, the most similar first", () => {
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
  const ids = index.similarTo("bench pres").map(({ exerciseId }) => exerciseId);
  expect(ids).toEqual(["b", "a", "d0", "d1", "d2"]);
  expect(index.similarTo("flat bench")[0]).toEqual({
    exerciseId: "a",
    exerciseName: "Barbell Bench Press",
    similarity: 1,
  });
  expect(index.similarTo("zqx")).toEqual([]);
  expect(index.similarTo("")).toEqual([]);
});

test(
  "the similarity equals pg_trgm's",
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
        const index = createNameIndex([{ id: "a", name: "A", searchText: `\n${a}\n` }]);
        const [match] = index.similarTo(b);
        const expected = row?.similarity ?? 0;
        if (expected < 0.295) expect(match).toBeUndefined();
        if (expected > 0.305) expect(match?.similarity).toBeCloseTo(expected, 1);
      }),
      { numRuns: 50 },
    );
  }),
);
