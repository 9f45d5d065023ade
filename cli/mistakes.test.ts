import { afterAll, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CAC, cac } from "cac";
import { benchCommands } from "#bench/commands.ts";
import { runCommand } from "#lib/command-line/run.ts";
import { databaseSettings, testPool } from "#test/transaction.ts";
import { registerCommands } from "./commands.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-mistakes-"));
const before = { ...process.env };
Object.assign(process.env, databaseSettings(), { IRONTRACK_HOME: dir });
afterAll(() => {
  for (const name of ["IRONTRACK_HOME", ...Object.keys(databaseSettings())]) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  rmSync(dir, { recursive: true, force: true });
});

function irontrack(): CAC {
  const cli = cac("irontrack");
  registerCommands(cli);
  return cli.help();
}
const bench = () => benchCommands("irontrack bench");

let output: string[] = [];
beforeEach(() => {
  output = [];
  for (const stream of ["error", "info"] as const)
    spyOn(console, stream).mockImplementation(
      (...words: unknown[]) => void output.push(words.join(" ")),
    );
});

/** Runs a command in this process, and expects one sentence and this exit code. */
async function expectRefused(make: () => CAC, args: string[], code: number, because?: string) {
  output = [];
  const exitCode = await runCommand(make(), ["bun", "cli", ...args]);
  expect([args, exitCode]).toEqual([args, code]);
  expect(output.join("\n")).toMatch(/^irontrack( bench)?: \S/);
  expect(output.join("\n")).not.toMatch(/^\s+at /m);
  expect(output.join("\n")).not.toContain("should not happen");
  if (because !== undefined) expect(output.join("\n")).toContain(because);
}

type Command = {
  make: () => CAC;
  name: string;
  args: string[];
  isVariadic: boolean;
  options: CAC["commands"][number]["options"];
};
const COMMANDS: Command[] = [irontrack, bench].flatMap((make) =>
  make()
    // The benchmarks parse what follows `irontrack bench`.
    .commands.filter(({ name }) => name !== "bench" && name !== "")
    .map(({ name, args, options }) => ({
      make,
      name,
      args: args.filter(({ required }) => required).map(({ value }) => `some-${value}`),
      isVariadic: args.some(({ variadic }) => variadic),
      options,
    })),
);

test("every command is in the table", () => {
  const names = COMMANDS.map(({ name }) => name);
  expect(names).toContain("user:list");
  expect(names).toContain("report");
  expect(names.length).toBeGreaterThan(40);
});

for (const { make, name, args, isVariadic, options } of COMMANDS) {
  test(`${make().name} ${name} refuses unknown options and arguments with 2`, async () => {
    const command = [name, ...args];
    await expectRefused(make, [...command, "--no-such-option"], 2, "has no option");
    await expectRefused(make, [...command, "-Q"], 2, "has no option");
    if (!isVariadic)
      await expectRefused(make, [...command, ...Array(3).fill("surplus")], 2, "does not take");
    if (args.length > 0) await expectRefused(make, [name], 2, "missing required args");
    for (const { rawName, name: option, isBoolean, required } of options) {
      if (rawName.startsWith("--no-")) continue;
      const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      if (isBoolean) {
        await expectRefused(make, [...command, `${flag}=7`], 2);
        continue;
      }
      if (required) await expectRefused(make, [...command, flag], 2, "value is missing");
      if (required) await expectRefused(make, [...command, `${flag}=`], 2);
      await expectRefused(make, [...command, flag, "1", flag, "2"], 2, "once");
      const [, kind = ""] = /[<[](.*)[>\]]/.exec(rawName) ?? [];
      for (const value of INVALID[kind] ?? [])
        await expectRefused(make, [...command, `${flag}=${value}`], 2, `${flag} takes`);
    }
  });
}
const INVALID: Record<string, string[]> = {
  n: ["x", "0", "1.5", "-1", "1e400", "NaN", "٣"],
  count: ["x", "1.5", "-1"],
  seed: ["x", "1.5", "-1", "4294967296"],
  workers: ["x", "0", "1.5", "65"],
  port: ["x", "0", "80.5", "65536"],
  rate: ["x", "0", "-1", "Infinity"],
  s: ["x", "0", "-1"],
  seconds: ["x", "-1"],
  percent: ["x", "-1", "101"],
  ratio: ["x", "1", "0"],
};

test("a command that does not exist is refused with 2, and names the nearest", async () => {
  await expectRefused(irontrack, ["user:lst"], 2, "did you mean user:list?");
  await expectRefused(irontrack, ["seed", "--a", "1", "--a.b", "2"], 2);
});

const missing = join(dir, "no/such/file");
const aFile = join(dir, "a-file");
writeFileSync(aFile, "not JSON");
test.each<[string[], number, string]>([
  [["user:import", "ada@example.com", missing], 2, "There is no file"],
  [["user:import", "ada@example.com", dir], 1, "directory"],
  [["backup:restore", missing, "--verify"], 2, "There is no backup"],
  [["compose:init", "--secrets", join(aFile, "x")], 1, "a-file"],
  [["health", "--socket", missing], 1, "no answer"],
  [["roles:create", "Bad Slug", "x"], 1, "slug"],
  [["user:list", "--role", "\u001b]0;x", "--active", "perhaps"], 2, "--active takes"],
  [["user:create", "nonsense", "--password-stdin"], 1, "email"],
  [["migrate", "--to", "9999_nothing"], 2, "9999_nothing"],
  [["seed", "--only", "nothing"], 2, "--only takes"],
  [["topology", "sideways"], 2, "up or status"],
  [["role:assign", "ada@example.com", "nobody"], 2, "There is no role"],
])("irontrack %p exits with %i and a sentence", (args, code, because) =>
  expectRefused(irontrack, args, code, because),
);

test.each<[string[], number, string]>([
  [["report", missing], 1, `there is no result ${missing}`],
  [["report", dir], 2, "run.json"],
  [["report", aFile], 1, "not JSON"],
  [["report", "bench/results/2026-11-27-0973db2-hops"], 2, "has no page"],
  [
    ["report", "bench/results/2026-11-27-823b95f-generator", "--out", join(aFile, "x")],
    1,
    "a-file",
  ],
  [["run", "mix", "--replay", missing], 2, "There is no trace"],
  [["profile", "LogSet", "--against", missing], 2, "There is no profile"],
  [["run", "nothing"], 2, "nothing"],
  [["run", "http", "--profile", "floppy"], 2, "floppy"],
  [["run", "http", "--arrivals", "sometimes"], 2, "--arrivals"],
])("irontrack bench %p exits with %i and a sentence", (args, code, because) =>
  expectRefused(bench, args, code, because),
);

test("an export that cannot be written leaves no audit event", async () => {
  const { sql } = testPool();
  const email = "mistakes@example.com";
  await sql`insert into users (email, password_hash, role_id) select ${email}, 'x', min(id) from roles`;
  const events = async () =>
    (await sql`select count(*)::int as count from audit_events where event = 'users.exported'`)[0]
      ?.count;
  try {
    const before = await events();
    await expectRefused(irontrack, ["user:export", email, "--out", missing], 1, missing);
    await expectRefused(
      irontrack,
      ["user:export", email, "--out", dir],
      2,
      "exists: choose another file",
    );
    expect(await events()).toBe(before);
  } finally {
    await sql`delete from users where email = ${email}`;
  }
});

test.each([
  ["postgres://x@127.0.0.1:1/x", "DATABASE_URL: nothing listens there (ECONNREFUSED)"],
  [
    `postgres://x@localhost/x?host=${encodeURIComponent(missing)}`,
    "DATABASE_URL: there is no such file or directory (ENOENT)",
  ],
])("an unreachable database is reported in a sentence: %s", async (url, words) => {
  const { DATABASE_URL, DATABASE_DIRECT_URL } = process.env;
  Object.assign(process.env, { DATABASE_URL: url, DATABASE_DIRECT_URL: "" });
  try {
    await expectRefused(irontrack, ["user:list"], 1, words);
  } finally {
    Object.assign(process.env, { DATABASE_URL, DATABASE_DIRECT_URL: DATABASE_DIRECT_URL ?? "" });
  }
});
