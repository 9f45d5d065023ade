import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { listBlocks, patch } from "#test/contributing-example.ts";
import { makeCheckout } from "#test/launcher.ts";

test("the domain that CONTRIBUTING.md adds compiles, migrates and answers", () => {
  const { dir, remove } = makeCheckout({ withModules: true });
  const run = (...command: string[]) => {
    const { stdout, stderr, status } = spawnSync(command[0] as string, command.slice(1), {
      cwd: dir,
      encoding: "utf8",
      env: { ...process.env, CI: "true" },
    });
    expect([status, status === 0 ? "" : `${command.join(" ")}\n${stdout}${stderr}`]).toEqual([
      0,
      "",
    ]);
  };
  try {
    const files = new Set<string>();
    for (const { file, language, code } of listBlocks()) {
      const path = join(dir, file);
      files.add(file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(
        path,
        language === "diff" ? patch(readFileSync(path, "utf8"), code, file) : code,
      );
    }
    expect(files.size).toBe(11);
    // The test of the architecture lists the files by Git.
    run("git", "init", "--quiet");
    run(process.execPath, "run", "db:generate", "--name", "body_weights");
    run("node_modules/.bin/biome", "check", ...[...files].filter((file) => file.endsWith(".ts")));
    run("node_modules/.bin/tsc", "--pretty", "false");
    run(
      ...["./irontrack", "test", "src/body-weights", "src/permissions/owned-tables"],
      ...["src/http/constraint-errors", "docs/architecture"],
    );
  } finally {
    remove();
  }
});
