import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const irontrack = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dir, "main.ts"), ...args], { encoding: "utf8" });

test("irontrack bench passes on arguments, help and the exit code", () => {
  const help = irontrack("bench", "--help");
  expect([help.status, help.stdout]).toEqual([0, expect.stringContaining("smoke")]);
  expect(irontrack("bench", "run", "--help").stdout).toContain("--profile");
  expect(irontrack("bench", "counts", "NoSuchOperation").status).not.toBe(0);
});
