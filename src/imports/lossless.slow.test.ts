import { test } from "bun:test";
import { expectGrowthOnce, expectNothingLost, FORMATS } from "#test/lossless-imports.ts";

test.each(Object.keys(FORMATS))(
  "of a file of %s everything is stored or named in the report with its row, and the same file adds nothing",
  (name) => expectNothingLost(name, 20),
  600_000,
);

test.each(Object.keys(FORMATS))(
  "a file of %s that grows, in any order of its days, brings each set once",
  (name) => expectGrowthOnce(name, 15),
  600_000,
);
