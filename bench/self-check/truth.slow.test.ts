import { expect, test } from "bun:test";
import { MAX_MOVED, measureTruth, movedBy } from "./truth.ts";

test("CPU contention does not hide the application's I/O wait", async () => {
  const truth = await measureTruth({ profile: "hdd", seconds: 10, onStep: () => {} });
  expect(truth.alone.reported).toBeGreaterThan(0.5);
  expect(movedBy(truth)).toBeLessThan(MAX_MOVED);
}, 180_000);
