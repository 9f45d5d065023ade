import { expect, test } from "bun:test";
import { MOST_MOVED, measureTruth, movedBy } from "./truth.ts";

test("burning CPU beside the database does not make waiting for the disk disappear", async () => {
  const truth = await measureTruth(() => {});
  expect(truth.alone.reported).toBeGreaterThan(0.5);
  expect(movedBy(truth)).toBeLessThan(MOST_MOVED);
}, 180_000);
