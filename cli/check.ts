import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { envExample } from "#src/config/settings.ts";
import { openApiJson } from "./openapi.ts";
import { runTests } from "./test.ts";

const ROOT = join(import.meta.dir, "..");
const bin = (name: string) => join(ROOT, "node_modules/.bin", name);

/** Files of the repository that are made from the code: where, and what they should say. */
const GENERATED: Record<string, () => Promise<string> | string> = {
  ".env.example": envExample,
  "openapi.json": openApiJson,
  ...Object.fromEntries(
    (["main.conf", "http.conf", "server.conf"] as const).map((name) => [
      `angie/place/${name}`,
      async () => {
        // Loaded here and not above: the topology is not part of what ships.
        const { PRODUCTION, renderPlace } = await import("#deploy/topology/proxy-config.ts");
        return renderPlace(PRODUCTION)[name];
      },
    ]),
  ),
};

/**
 * What CI and a person run: format, lint, types, dead code, generated files, tests, clean tree. The
 * fast ones first.
 */
export async function check(): Promise<void> {
  const isTreeClean = treeState();
  run("format and lint", bin("biome"), ["check", "."]);
  run("types", bin("tsc"), []);
  run("dead code", bin("knip"), []);
  await checkGenerated();
  const tests = await runTests([]);
  if (!tests.ok) throw new OperatorError("check failed: tests");
  if (treeState() !== isTreeClean)
    throw new OperatorError("check failed: it changed files of the checkout");
}

/** Writes every generated file anew. */
export async function generate(): Promise<void> {
  for (const [file, make] of Object.entries(GENERATED))
    writeFileSync(join(ROOT, file), await make());
}

async function checkGenerated() {
  for (const [file, make] of Object.entries(GENERATED)) {
    const path = join(ROOT, file);
    const isCurrent = existsSync(path) && readFileSync(path, "utf8") === (await make());
    if (!isCurrent)
      throw new OperatorError(
        `check failed: ${file} is stale; run ./irontrack generate and review it`,
      );
    console.error(`ok  ${file}`);
  }
}

function run(what: string, command: string, args: string[]) {
  const done = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (done.status !== 0)
    throw new OperatorError(`check failed: ${what}\n${done.stdout}${done.stderr}`);
  console.error(`ok  ${what}`);
}

const treeState = () =>
  spawnSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" }).stdout;
