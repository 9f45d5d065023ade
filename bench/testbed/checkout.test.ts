import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkOut, countMigrations, git } from "./checkout.ts";

test("a ref is checked out with its packages, and its worktree is removed", () => {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-checkout-"));
  try {
    const checkout = checkOut("HEAD", join(directory, "head"));
    expect(checkout.commit).toBe(git("rev-parse", "--short", "HEAD"));
    expect(existsSync(join(checkout.root, "node_modules/elysia/package.json"))).toBe(true);
    expect(countMigrations(checkout)).toBeGreaterThan(5);
    checkout.remove();
    expect(existsSync(checkout.root)).toBe(false);
    expect(git("worktree", "list")).not.toContain(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("an unknown ref is refused, and the working tree is not copied", () => {
  expect(() => checkOut("no-such-ref", "/nowhere")).toThrow("git knows no commit no-such-ref");
  expect(checkOut(".", "/nowhere").root).toBe(join(import.meta.dir, "../.."));
});
