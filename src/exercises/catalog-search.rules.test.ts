import { expect, test } from "bun:test";
import fc from "fast-check";
import { createCatalogSearch } from "./catalog-search.rules.ts";

const catalog = createCatalogSearch([
  { id: "split", searchText: "\nbulgarian split squat\nrear-foot elevated split squat\n" },
  { id: "front", searchText: "\nfront squats\n" },
  { id: "pull-up", searchText: "\npull-up\n\npullup\n" },
  { id: "romanian", searchText: "\nromanian deadlift\nrdl\n" },
]);
const search = (query: string) => catalog.match(query.split(" ").map(catalog.termOf));

test.each([
  ["squat", ["split", "front"]],
  ["squat split", ["split"]],
  ["sqat", ["split", "front"]],
  ["bulgrian sqat", ["split"]],
  ["pull-up", ["pull-up"]],
  ["pullup", ["pull-up"]],
  ["ear-foot", ["split"]],
  ["squat deadlift", []],
  ["xyzzy", []],
])("a search for %p finds %p", (query, ids) => {
  expect(search(query).ids).toEqual(ids);
});

test.each([
  ["rdl", [0]],
  ["pullup", [0]],
  ["romanian", ["romanian deadlift".length]],
  ["squat", ["bulgarian split squat".length, "front squats".length]],
  ["rear-foot", [1000 + "bulgarian split squat".length]],
])("a search for %p ranks its matches by the distances %p", (query, distances) => {
  expect(search(query).distances).toEqual(distances);
});

test("a search finds exactly the exercises that contain every term, in whatever order the terms come", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "-", "é"), minLength: 1, maxLength: 4 });
  const text = fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 6 }),
      fc.array(word, { minLength: 1, maxLength: 3 }),
      (texts, forms) => {
        const exercises = texts.map((names, index) => ({
          id: String(index),
          searchText: `\n${names.map((words) => words.join(" ")).join("\n")}\n`,
        }));
        const index = createCatalogSearch(exercises);
        const terms = forms.map((form) => ({ form, corrections: [] }));
        const expected = exercises
          .filter(({ searchText }) => forms.every((form) => searchText.includes(form)))
          .map(({ id }) => id);
        expect(index.match(terms).ids).toEqual(expected);
        expect(index.match(terms.toReversed()).ids).toEqual(expected);
      },
    ),
  );
});
