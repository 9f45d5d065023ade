import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cac } from "cac";
import { benchCommands } from "#bench/commands.ts";
import { databaseSettings } from "#test/transaction.ts";
import { registerCommands } from "./commands.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-mistakes-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const aFile = join(dir, "a-file");
writeFileSync(aFile, "not a directory");

/** Commands that serve until stopped, change the checkout, or measure for minutes. */
const LONG = new Set(["up", "serve", "topology", "test", "check", "generate", "build", "bench"]);
const QUICK_BENCH = new Set(["list", "doctor", "report", "history"]);

const irontrack = cac("irontrack");
registerCommands(irontrack);
const commands = [
  ...irontrack.commands
    .filter(({ name }) => !LONG.has(name))
    .map((command) => ({ command, through: [] as string[] })),
  ...benchCommands("irontrack bench")
    .commands.filter(({ name }) => QUICK_BENCH.has(name))
    .map((command) => ({ command, through: ["bench"] })),
].map(({ command, through }) => [
  ...through,
  command.name,
  ...command.args
    .filter(({ required }) => required)
    .map(({ value }) => `some-${value}@example.com`),
]);

const home = () => ({ IRONTRACK_HOME: mkdtempSync(join(dir, "home-")) });
const PLACES: [what: string, redirection: string, env: () => Record<string, string>][] = [
  ["a closed pipe", " | true", () => ({ ...databaseSettings(), ...home() })],
  ["a full disk", " >/dev/full", () => ({ ...databaseSettings(), ...home() })],
  ["a closed standard output", " >&-", () => ({ ...databaseSettings(), ...home() })],
  ["nothing on standard input", " <&-", () => ({ ...databaseSettings(), ...home() })],
  ["a home that is a file", "", () => ({ ...databaseSettings(), IRONTRACK_HOME: aFile })],
  [
    "a home below a file",
    "",
    () => ({ ...databaseSettings(), IRONTRACK_HOME: join(aFile, "home") }),
  ],
  [
    "a database that is away",
    "",
    () => ({ DATABASE_URL: "postgres://x@127.0.0.1:1/x", ...home() }),
  ],
  [
    "a database that does not exist",
    "",
    () => ({ ...databaseSettings(otherDatabase()), ...home() }),
  ],
  [
    "a database whose host is unknown",
    "",
    () => ({ DATABASE_URL: "postgres://x@host.invalid/x", ...home() }),
  ],
  ["wrong settings", "", () => ({ PORT: "x", ...home() })],
];
const otherDatabase = () =>
  Object.assign(new URL(databaseSettings().DATABASE_URL), { pathname: "/no_such" }).href;

for (const args of commands) {
  test.each(PLACES)(
    `irontrack ${args.join(" ")} with %s ends with a sentence or works`,
    (_what, redirection, env) => {
      const run = spawnSync(
        "bash",
        ["-c", `set -o pipefail; "$0" "$@"${redirection}`, process.execPath, program, ...args],
        {
          cwd: dir,
          encoding: "utf8",
          env: { PATH: process.env.PATH ?? "", HOME: dir, ...env() },
          timeout: 60_000,
          // The OpenAPI document is longer than the default.
          maxBuffer: 16 * 2 ** 20,
        },
      );
      expect(run.stderr).not.toMatch(/^\s+at /m);
      expect(run.stderr).not.toContain("should not happen");
      expect([0, 1, 2], `${run.stdout}${run.stderr}`).toContain(run.status as number);
      // The report of missing prerequisites goes to standard output, even if that is closed.
      const isSaid = run.stdout !== "" || redirection === " >&-";
      if (run.status !== 0 && !isSaid) expect(run.stderr).toMatch(/\S/);
    },
  );
}
const program = join(import.meta.dir, "main.ts");
