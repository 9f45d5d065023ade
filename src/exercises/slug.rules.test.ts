import { expect, test } from "bun:test";
import fc from "fast-check";
import { slugOf } from "./slug.rules.ts";

test.each([
  ["Barbell Bench Press", "barbell-bench-press"],
  ["  3/4 Sit-Up  ", "3-4-sit-up"],
  ["Élévation latérale", "elevation-laterale"],
  ["Straße & Øre", "strasse-ore"],
  ["上", "u4e0a"],
  ["!!!", "u21-u21-u21"],
])("the slug of %s is %s", (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});

test("no valid name has an empty or malformed slug", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 3, maxLength: 100 }), (name) => {
      fc.pre(name.trim() !== "");
      expect(slugOf(name)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    }),
  );
});
