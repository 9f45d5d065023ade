import { test } from "bun:test";
import { expectGrowthOnce, expectNothingLost, FORMATS } from "#test/lossless-imports.ts";

test.each(Object.keys(FORMATS))(
  "each row of a %s file is stored or named in the report, and the same file adds nothing",
  (format) => expectNothingLost(format, 2),
  60_000,
);

test.each(Object.keys(FORMATS))(
  "a growing %s file, with its days in any order, adds each set once",
  (format) => expectGrowthOnce(format, 1),
  60_000,
);
