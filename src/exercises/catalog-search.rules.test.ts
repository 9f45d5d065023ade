import { expect, test } from "bun:test";
import fc from "fast-check";
import { createCatalogSearch } from "./catalog-search.rules.ts";

const catalog = createCatalogSearch([
  { id: "split", searchText: "\nbulgarian split squat\nrear-foot elevated split squat\n" },
  { id: "front", searchText: "\nfront squats\n" },
  { id: "pull-up", searchText: "\npull-up\n\npullup\n" },
  { id: "romanian", searchText: "\nromanian deadlift\nrdl\n" },
]);
const found = (search: string) => catalog.find(search.split(" ").map(catalog.wordOf)).ids;

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
])("who searches %p finds %p", (search, ids) => {
  expect(found(search)).toEqual(ids);
});

test.each([
  ["rdl", [0]],
  ["pullup", [0]],
  ["romanian", ["romanian deadlift".length]],
  ["squat", ["bulgarian split squat".length, "front squats".length]],
  ["rear-foot", [1000 + "bulgarian split squat".length]],
])("who searches %p finds them %p away", (search, distances) => {
  expect(catalog.find(search.split(" ").map(catalog.wordOf)).distances).toEqual(distances);
});

test("what stands in a text is found in it, and nothing else is, whatever was searched before", () => {
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
        const exercises = texts.map((names, at) => ({
          id: String(at),
          searchText: `\n${names.map((words) => words.join(" ")).join("\n")}\n`,
        }));
        const search = createCatalogSearch(exercises);
        const typed = forms.map((form) => ({ form, meant: [] }));
        const holding = exercises.filter(({ searchText }) =>
          forms.every((form) => searchText.includes(form)),
        );
        const ids = holding.map(({ id }) => id);
        expect(search.find(typed).ids).toEqual(ids);
        expect(search.find(typed.toReversed()).ids).toEqual(ids);
      },
    ),
  );
});
