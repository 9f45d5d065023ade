import { beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

// Compiling, installing from the registry, and four workers: half a minute on a quiet machine.
let said = "";
beforeAll(() => {
  const command = ["--mount", process.execPath, join(import.meta.dir, "rehearse.ts")];
  const done = spawnSync("unshare", command, {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    timeout: 900_000,
  });
  said = done.stdout + done.stderr;
  if (done.status !== 0) console.error(said.slice(-4000));
});

test("every command of the build stages runs, and the built image serves as compose.yaml configures it", () => {
  expect(said).toContain("workers: POST /api/v1/access/signup 201");
  expect(said).toMatch(/^rehearsed$/m);
});

test("the migrator brings an empty database up, and does nothing the second time", () => {
  const [first = "", second = ""] = said.split("migrator, ").slice(1);
  expect(first).toMatch(/exercises +\d{4} /);
  expect(second).toMatch(/exercises +0 +0 +0 +0/);
});

test("the image has what docs/image.md lists, and nothing else", () => {
  const listing = said.slice(said.indexOf("image:\n"), said.indexOf("migrator, "));
  const files = [...listing.matchAll(/^ {2}(\/\S+) \d+$/gm)].map(([, file]) =>
    withoutMachine(file as string),
  );
  const documented = [
    ...readFileSync(join(import.meta.dir, "../../docs/image.md"), "utf8").matchAll(
      /^\| `(\/[^`]+)` \|/gm,
    ),
  ];
  expect(files).toEqual(documented.map(([, file]) => file as string).sort());
});

/** Libraries lie elsewhere on other processors. */
const withoutMachine = (file: string) =>
  file.replace(/\/(x86_64|aarch64)-linux-gnu\//, "/<processor>-linux-gnu/");
