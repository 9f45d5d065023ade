import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changedFiles } from "./fingerprint.ts";

test("a run's own output does not make a checkout dirty, and changed files are named", () => {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-changed-"));
  const git = (...args: string[]) =>
    expect(
      spawnSync("git", ["-c", "user.name=x", "-c", "user.email=x@y", ...args], { cwd: dir }).status,
    ).toBe(0);
  try {
    const [earlier, later] = ["earlier", "later"].map((run) =>
      join(dir, "bench", "results", run),
    ) as [string, string];
    mkdirSync(earlier, { recursive: true });
    writeFileSync(join(dir, "code.ts"), "1");
    writeFileSync(join(earlier, "run.json"), "1");
    git("init", "--quiet");
    git("add", "-A");
    git("commit", "--quiet", "--no-verify", "-m", "x");
    writeFileSync(join(earlier, "run.json"), "2");
    mkdirSync(later);
    writeFileSync(join(later, "run.json"), "1");
    expect(changedFiles(dir)).toEqual([]);
    writeFileSync(join(dir, "code.ts"), "2");
    writeFileSync(join(dir, "new.ts"), "1");
    expect(changedFiles(dir)).toEqual(["code.ts", "new.ts"]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
