import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listBlocks, patch } from "#test/contributing-example.ts";

const ROOT = join(import.meta.dir, "..");

test.each(listBlocks())("CONTRIBUTING.md changes $file, which is as it expects", (block) => {
  const { file, language, code } = block;
  const path = join(ROOT, file);
  expect(existsSync(path)).toBe(language === "diff");
  if (language === "diff")
    expect(patch(readFileSync(path, "utf8"), code, file)).toContain(
      code.match(/^\+(.*)/m)?.[1] ?? "",
    );
});
