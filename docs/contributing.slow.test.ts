import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeCheckout } from "#test/launcher.ts";

const text = readFileSync(join(import.meta.dir, "../CONTRIBUTING.md"), "utf8");
const example = text.slice(text.indexOf("## Adding a domain"), text.indexOf("## Finding a fault"));

/** The code blocks of the example, each with the file that is named before it. */
function listBlocks() {
  let file = "";
  return [...example.matchAll(/^`([^`\n]+)`\n|^```(ts|diff)\n(.*?)^```/gms)].flatMap(
    ([, named, language, code = ""]) => {
      file = named ?? file;
      return language === undefined ? [] : [{ file, language, code }];
    },
  );
}

/** `source` with the added lines of a diff; its other lines have to be there once. */
function patch(source: string, diff: string, file: string): string {
  const lines = diff.split("\n");
  const before = lines.filter((line) => !line.startsWith("+")).map((line) => line.slice(1));
  const after = lines.map((line) => line.slice(1));
  const parts = source.split(before.join("\n"));
  if (parts.length !== 2) throw new Error(`${file} has no single place for\n${diff}`);
  return parts.join(after.join("\n"));
}

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
