import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explain } from "#lib/command-line/explain.ts";
import { printable } from "#lib/command-line/output.ts";
import { makeOwnDatabase } from "#test/own-database.ts";
import { databaseSettings, testPool } from "#test/transaction.ts";

const home = mkdtempSync(join(tmpdir(), "irontrack-output-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const program = join(import.meta.dir, "main.ts");
/** Runs a line of bash in which "$0" "$1" is irontrack. */
const shell = (command: string, env: Record<string, string | undefined> = {}) =>
  spawnSync("bash", ["-c", command, process.execPath, program], {
    encoding: "utf8",
    env: { ...process.env, ...databaseSettings(), IRONTRACK_HOME: home, ...env },
  });

test("errors of the system and of PostgreSQL are explained in a sentence", () => {
  const system = (code: string, more: object) =>
    explain(Object.assign(new Error("x"), { code, ...more }));
  expect(system("EACCES", { syscall: "open", path: "/a" }).message).toBe(
    "Cannot open /a: permission denied (EACCES)",
  );
  expect(system("ENOENT", { syscall: "spawn pg_dump", path: "pg_dump" }).message).toContain(
    "is not installed",
  );
  expect(
    system("ECONNREFUSED", { syscall: "connect", address: "127.0.0.1", port: 1 }).message,
  ).toBe("Cannot reach the database at 127.0.0.1:1: nothing listens there (ECONNREFUSED)");
  expect(explain(new Error("Odd"))).toEqual({
    message: "this should not happen: Error: Odd",
    exitCode: 1,
    isBug: true,
  });
});

test("a closed pipe and a full disk are reported in one line, and the command fails", () => {
  const closed = shell('(sleep 0.2; "$0" "$1" user:list --json; echo "exit $?" >&2) | true');
  expect(closed.stderr).toBe(
    "irontrack: Cannot write the output: the reading end of the pipe is closed (EPIPE)\nexit 1\n",
  );
  if (!existsSync("/dev/full")) return;
  const full = shell('"$0" "$1" audit:list >/dev/full');
  expect([full.stderr, full.status]).toEqual([
    "irontrack: Cannot write the output: no space is left on the disk (ENOSPC)\n",
    1,
  ]);
});

test("names cannot control the operator's terminal", async () => {
  const { sql } = testPool();
  const email = "escape@example.com";
  await sql`insert into users (email, name, password_hash, role_id)
    select ${email}, ${"\u001b]0;owned\u0007\u202eevil\u009b1m"}, 'x', min(id) from roles`;
  try {
    for (const flags of ["", "--json", "--csv"]) {
      const { stdout } = shell(`"$0" "$1" user:list --search ${email} ${flags}`);
      expect(stdout).toContain("owned");
      expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      if (flags === "--json") expect(JSON.parse(stdout)[0].name).toContain("\u202eevil");
    }
  } finally {
    await sql`delete from users where email = ${email}`;
  }
  expect(printable("a\tb\nc 👩‍🚀 é")).toBe("a\tb\nc 👩‍🚀 é");
});

test("without the seeded roles no account can be created, and the message says how to seed them", async () => {
  const database = await makeOwnDatabase();
  await database.pool.sql`delete from roles`;
  try {
    const result = shell(
      '"$0" "$1" user:create-admin ada@example.com --password-stdin <<< "correct horse battery"',
      databaseSettings(database.url),
    );
    expect(result.stderr).toBe("irontrack: There is no role superuser: run irontrack seed\n");
    expect(result.status).toBe(1);
  } finally {
    await database.drop();
  }
});
