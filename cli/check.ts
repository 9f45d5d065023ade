import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { envExample } from "#src/config/settings.ts";
import { openApiJson } from "./openapi.ts";
import { runTests } from "./test.ts";

const ROOT = join(import.meta.dir, "..");
const bin = (name: string) => join(ROOT, "node_modules/.bin", name);

/** The generated files of the repository, and their content. */
const GENERATED: Record<string, () => Promise<string> | string> = {
  ".env.example": envExample,
  "openapi.json": openApiJson,
  ...Object.fromEntries(
    (["main.conf", "http.conf", "server.conf"] as const).map((name) => [
      `angie/place/${name}`,
      async () => {
        // Imported dynamically: the executable does not contain the topology.
        const { PRODUCTION, renderPlace } = await import("#deploy/topology/proxy-config.ts");
        return renderPlace(PRODUCTION)[name];
      },
    ]),
  ),
};

/** Runs every check, the fast ones first. Throws OperatorError at the first that fails. */
export async function check(): Promise<void> {
  const treeBefore = treeState();
  run("format and lint", bin("biome"), ["check", "."]);
  run("types", bin("tsc"), []);
  run("dead code", bin("knip"), []);
  await checkGenerated();
  const tests = await runTests([]);
  if (!tests.ok) throw new OperatorError("check failed: tests");
  if (treeState() !== treeBefore)
    throw new OperatorError("check failed: it changed files in the checkout");
}

/** Writes every generated file. */
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
        `check failed: ${file} is stale: run ./irontrack generate and review the change`,
      );
    console.error(`ok  ${file}`);
  }
}

function run(what: string, command: string, args: string[]) {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (result.status !== 0)
    throw new OperatorError(`check failed: ${what}\n${result.stdout}${result.stderr}`);
  console.error(`ok  ${what}`);
}

const treeState = () =>
  spawnSync("git", ["status", "--porcelain"], { cwd: ROOT, encoding: "utf8" }).stdout;
