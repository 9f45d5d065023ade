import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "./errors.ts";
import { lockHome, openHome } from "./home.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-home-"));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a damaged lock file is reported by name", () => {
  const home = openHome(dir);
  const lockFile = join(dir, "lock.sqlite");
  writeFileSync(lockFile, "no database ".repeat(200));
  expect(() => lockHome(home)).toThrow(new OperatorError(`${lockFile} is damaged: remove it`));
});
