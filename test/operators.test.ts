import { afterAll, expect, test } from "bun:test";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./program.ts";
import { databaseSettings, testPool } from "./transaction.ts";

const home = mkdtempSync(join(tmpdir(), "irontrack-operator-"));
const PASSWORD = "correct horse battery staple";
const EMAILS = [
  "op-ada@example.com",
  "op-bob@example.com",
  "op-root@example.com",
  "zq-am\u00e9lie@example.com",
];
const [ADA, BOB, ROOT, AMELIE] = EMAILS as [string, string, string, string];
afterAll(async () => {
  await testPool().sql`delete from users where email = any (${EMAILS})`;
  await testPool().sql`delete from roles where slug = 'op-role'`;
  rmSync(home, { recursive: true, force: true });
});

/** Runs a command without a terminal. */
function irontrack(
  args: string[],
  input = "",
  env: Record<string, string> = {},
): SpawnSyncReturns<string> {
  const [command, ...prefix] = program();
  return spawnSync(command, [...prefix, ...args], {
    cwd: join(import.meta.dir, ".."),
    encoding: "utf8",
    maxBuffer: 2 ** 24,
    input,
    env: {
      PATH: process.env.PATH,
      IRONTRACK_HOME: home,
      ...databaseSettings(),
      PASSWORD_MEMORY_KIB: "19456",
      PASSWORD_PASSES: "2",
      ...env,
    },
  });
}

/** Runs a command, which must succeed, and returns its output. */
function succeed(args: string[], input = ""): string {
  const run = irontrack(args, input);
  if (run.status !== 0)
    throw new Error(`${args.join(" ")} exited with ${run.status}: ${run.stdout}${run.stderr}`);
  return run.stdout;
}

test("the command refuses the same addresses and names as the API, and normalises them alike", () => {
  for (const args of [
    ["user:create", "op-\u202eada@example.com"],
    ["user:create", "op-nobody"],
    ["user:create", "op-ctl@example.com", "--name", "\u001b]0;x\u0007"],
    ["user:create", "op-ctl@example.com", "--name", "Zero\u200bwidth"],
    ["roles:create", "op-ctl", "\u001b[31mRed"],
  ]) {
    const run = irontrack(
      [...args, ...(args[0] === "user:create" ? ["--password-stdin"] : [])],
      `${PASSWORD}\n`,
    );
    expect([run.status, run.stderr.includes("Must be a valid")]).toEqual([1, true]);
  }
  expect(
    succeed(["user:create", "Zq-Ame\u0301lie@example.com", "--password-stdin"], PASSWORD),
  ).toContain(AMELIE);
  expect(succeed(["user:deactivate", "zq-ame\u0301lie@example.com", "--yes"])).toContain(AMELIE);
});

const rowsOf = (args: string[]) =>
  JSON.parse(succeed([...args, "--json"])) as Record<string, unknown>[];

test("a command without a required argument is refused in one line", () => {
  const run = irontrack(["user:create"]);
  expect([run.status, run.stderr]).toEqual([
    2,
    "irontrack: missing required args for command `user:create <email>`\n",
  ]);
});

test("an operator creates users, finds them, and changes their roles", () => {
  expect(
    succeed(["user:create", ADA, "--name", "Ada", "--password-stdin"], `${PASSWORD}\n`),
  ).toContain(ADA);
  succeed(["user:create", BOB, "--password-stdin"], PASSWORD);
  expect(rowsOf(["user:list", "--search", "op-"])).toHaveLength(2);
  expect(succeed(["user:list", "--search", "op-ada", "--csv"])).toMatch(
    /^id,name,email,.*\n.*,Ada,op-ada@example.com,/,
  );
  expect(succeed(["user:create-admin", ROOT, "--password-stdin"], PASSWORD)).toContain("superuser");
  succeed(["user:promote", ADA]);
  expect(rowsOf(["user:list", "--role", "superuser", "--search", "op-"])).toHaveLength(2);
  succeed(["user:demote", ADA, "--yes"]);
  succeed(["role:assign", BOB, "fitness-trainer"]);
  expect(rowsOf(["user:list", "--search", BOB])).toMatchObject([{ roleSlug: "fitness-trainer" }]);
  succeed(["role:revoke", BOB, "fitness-trainer", "--yes"]);
  succeed(["user:deactivate", BOB, "--yes"]);
  expect(rowsOf(["user:list", "--active", "no", "--search", "op-"])).toMatchObject([
    { email: BOB },
  ]);
  succeed(["user:activate", BOB]);
  expect(succeed(["user:reset-password", BOB, "--yes"]).trim().split("\n").at(-1)).toMatch(
    /^[\w-]{24}$/,
  );
  expect(rowsOf(["user:logins", BOB])).toEqual([]);
  expect(succeed(["user:revoke-logins", BOB, "--yes"])).toContain("Ended 0 logins");
  expect(succeed(["roles:create", "op-role", "Operator's role"])).toContain("Created");
  expect(succeed(["roles:create", "op-role", "Operator's role"])).toContain("already");
  const events = rowsOf(["audit:list", "--limit", "20"]).filter(
    ({ actor }) => actor === "operator",
  );
  expect(events.map(({ event }) => event)).toContain("users.role_assigned");
});

test.each<[string, string[], string, number, string]>([
  [
    "a password as an argument",
    ["user:create", "x@example.com", "--password", "secret"],
    "",
    2,
    "did you mean",
  ],
  [
    "no terminal and no --password-stdin",
    ["user:create", "x@example.com"],
    "",
    2,
    "--password-stdin",
  ],
  [
    "a short password",
    ["user:create", "x@example.com", "--password-stdin"],
    "short",
    2,
    "8 to 128",
  ],
  [
    "a common password",
    ["user:create", "x@example.com", "--password-stdin"],
    "password123",
    1,
    "commonest",
  ],
  ["no address", ["user:create", "nonsense", "--password-stdin"], PASSWORD, 1, "email"],
  [
    "an address that is taken",
    ["user:create", ADA, "--password-stdin"],
    PASSWORD,
    1,
    "already registered",
  ],
  [
    "a second system administrator",
    ["user:create-admin", "x@example.com", "--password-stdin"],
    PASSWORD,
    1,
    "already",
  ],
  ["a destructive command without --yes", ["user:deactivate", ADA], "", 2, "--yes"],
  ["an unknown user", ["user:promote", "nobody-op@example.com"], "", 1, "User not found"],
  ["an unknown role", ["role:assign", ADA, "king"], "", 2, "There is no role king"],
  [
    "an unknown part of the seed",
    ["seed", "--only", "nonsense"],
    "",
    2,
    "there is no part nonsense",
  ],
  ["an unknown migration", ["migrate", "--to", "9999_nonsense"], "", 2, "There is no migration"],
  ["a value other than yes or no", ["user:list", "--active", "perhaps"], "", 2, "yes or no"],
])("%s is refused in one line", (_case, args, input, code, message) => {
  const run = irontrack(args, input);
  expect(run.stderr).toContain(message);
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect(run.status).toBe(code);
});

test("migrating and seeding a current database writes nothing", () => {
  expect(rowsOf(["migrate", "--status"]).every(({ appliedAt }) => appliedAt !== null)).toBe(true);
  expect(succeed(["migrate"])).toContain("Nothing to apply");
  for (const args of [["seed", "--dry-run"], ["seed"]]) {
    for (const { added, changed, removed } of rowsOf(args))
      expect([added, changed, removed]).toEqual([0, 0, 0]);
  }
});

test("keys are listed and rotated, and private keys are never shown", () => {
  const [first] = rowsOf(["token:keys"]);
  succeed(["token:rotate-key"]);
  const keys = rowsOf(["token:keys"]);
  expect(keys.map(({ use }) => use)).toEqual(["signs", "verifies"]);
  expect(keys[1]?.kid).toBe(first?.kid);
  expect(JSON.stringify(keys)).not.toContain('"d"');
});

test("doctor reports a setting that does not work", () => {
  expect(rowsOf(["doctor"]).find(({ what }) => what === "database")).toMatchObject({
    state: "good",
  });
  const run = irontrack(["doctor"], "", { DATABASE_URL: "postgres://x:secret@127.0.0.1:1/x" });
  expect(run.status).toBe(1);
  expect(run.stdout).toContain("DATABASE_URL");
  expect(run.stdout).not.toContain("secret");
});

test("an operator exports an account to a file and imports it into an empty account", async () => {
  const [from, to] = ["op-export@example.com", "op-import@example.com"];
  EMAILS.push(from, to);
  for (const email of [from, to]) succeed(["user:create", email, "--password-stdin"], PASSWORD);
  await testPool().sql`
    insert into workouts (user_id, status, started_at, ended_at, time_zone, notes)
    select id, 'completed', '2026-01-01T10:00Z', '2026-01-01T11:00Z', 'UTC', 'Kept' from users where email = ${from}`;
  const [first, second] = [join(home, "first.zip"), join(home, "second.zip")];
  expect(succeed(["user:export", from, "--out", first])).toContain(first);
  expect(irontrack(["user:export", from, "--out", first]).status).toBe(2);
  expect(succeed(["user:import", to, first])).toContain("1 workouts");
  succeed(["user:export", to, "--out", second]);
  expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
  const again = irontrack(["user:import", to, first]);
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("empty account")]);
  expect(irontrack(["user:export", "op-nobody@example.com"]).stderr).toContain("User not found");
  expect(irontrack(["user:import", to, join(home, "none.zip")]).status).toBe(2);
  expect(rowsOf(["audit:list", "--event", "users.exported"]).length).toBeGreaterThan(1);
});

test("the printed OpenAPI document is the committed one", async () => {
  expect(succeed(["openapi"])).toBe(
    await Bun.file(join(import.meta.dir, "../openapi.json")).text(),
  );
});
