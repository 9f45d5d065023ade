import { expect, test } from "bun:test";
import { MAX_MOVED, measureTruth, movedBy } from "./truth.ts";

test("burning CPU beside the application does not make its waiting for the disk disappear", async () => {
  const truth = await measureTruth({ profile: "hdd", seconds: 10, onStep: () => {} });
  expect(truth.alone.reported).toBeGreaterThan(0.5);
  expect(movedBy(truth)).toBeLessThan(MAX_MOVED);
}, 180_000);
