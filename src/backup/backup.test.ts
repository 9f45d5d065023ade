import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { seedDemo } from "#seeds/demo.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { describeWithTools, testTools } from "#test/postgres-tools.ts";
import { program } from "#test/program.ts";
import { directTestUrl, testPool } from "#test/transaction.ts";
import { statementsOf } from "./compare.ts";
import { type Created, createBackup } from "./create-backup.ts";
import {
  type Contents,
  DUMP_FILE,
  MANIFEST_FILE,
  type Manifest,
  readManifest,
} from "./manifest.ts";
import { runTool } from "./postgres-tools.ts";
import { type RestoreOptions, restoreBackup } from "./restore-backup.ts";

let dir: string;
let database: OwnDatabase;
let backup: Created;
const made: string[] = [];
const owners: string[] = [];
const places = () => ({ PG_BIN: testTools().dir, path: "" });
const names = (path: string) => readdirSync(path).sort();
/** As the commands are configured: past a pooler, whose connections would stay. */
const directUrl = () => directTestUrl(database.url);
const nameIn = (url: string) => new URL(url).pathname.slice(1);

function urlOf(name: string): string {
  const url = new URL(directUrl());
  url.pathname = `/${name}`;
  return url.href;
}

const restore = (path: string, options: Partial<RestoreOptions> = {}) =>
  restoreBackup(directUrl(), path, places(), {
    verify: true,
    onReplace: async () => {},
    ...options,
  });

/** The command as an operator runs it, without a terminal; `child` is for signals. */
function irontrack(args: string[], env: Record<string, string> = {}) {
  const [command, ...before] = program();
  const child = spawn(command, [...before, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: "/usr/bin:/bin",
      IRONTRACK_HOME: dir,
      DATABASE_URL: directUrl(),
      PG_BIN: testTools().dir,
      ...env,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (said += part));
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, said })),
  );
  return { child, ended };
}

/** Of a database that is dropped at the end. */
function someName(): string {
  const name = `restored_${crypto.randomUUID().slice(0, 8)}`;
  made.push(name);
  return name;
}

/** A copy of the backup whose manifest says something else. */
function copyOf(name: string, change: Partial<Manifest>): string {
  const path = join(dir, "copies", name);
  cpSync(backup.path, path, { recursive: true });
  writeFileSync(join(path, MANIFEST_FILE), JSON.stringify({ ...readManifest(path), ...change }));
  return path;
}

const scratchDatabases = () =>
  testPool().sql`select from pg_database where datname like 'irontrack_restoring_%'`;

describeWithTools("backups", () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "irontrack-backup-"));
    database = await makeOwnDatabase();
    await seedCatalog(database.pool, readCatalog());
    await seedDemo(database.pool, { athletes: 2, years: 1, seed: 1, fast: false, dryRun: false });
    backup = await createBackup(directUrl(), join(dir, "backups"), places());
  });
  afterAll(async () => {
    for (const name of made)
      await testPool().sql`drop database if exists ${testPool().sql(name)} with (force)`;
    for (const name of owners) await testPool().sql`drop role ${testPool().sql(name)}`;
    await database?.drop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("a backup comes out as it went in, to the byte", async () => {
    const into = someName();
    const { checks } = await restore(backup.path, { into });
    expect(checks.map(({ what, state }) => [what, state])).toEqual([
      ["contents", "good"],
      ["schema", "good"],
      ["amcheck", "good"],
    ]);
    const dump = (url: string) =>
      runTool(testTools(), "pg_dump", ["--no-owner", "--no-privileges"], { url });
    const [before, after] = await Promise.all([dump(directUrl()), dump(urlOf(into))]);
    expect(before.length).toBeGreaterThan(1_000_000);
    // PostgreSQL puts a short row where it finds room: the same lines, in another order within a
    // table.
    const sorted = (text: string) => statementsOf(text).sort().join("\n");
    expect(sorted(after) === sorted(before)).toBe(true);
    // Devices that have seen more than the backup has begin again.
    const restored = openPool(urlOf(into), { size: 1, prepare: false });
    const [feed] =
      await restored.sql`select origin <> feed_origin() as "isMoved" from feed_generation`;
    await restored.close();
    expect(feed).toEqual({ isMoved: true });
  });

  test("a backup is of one moment, though rows are written while it is made", async () => {
    const out = join(dir, "one-moment");
    const written: Promise<unknown>[] = [];
    const onStep = () => {
      const name = `late-${written.length}`;
      written.push(
        database.pool.sql`insert into roles (slug, name) values (${name}, ${name})`.execute(),
      );
    };
    const { path, manifest } = await createBackup(directUrl(), out, places(), { onStep });
    expect((await Promise.all(written)).length).toBeGreaterThan(2);
    expect(manifest.tables["public.roles"]?.rows).toBe(3);
    expect((await restore(path)).checks.every(({ state }) => state === "good")).toBe(true);
  });

  test("a backup with a flipped byte is refused, wherever it is, and nothing is left of the attempt", async () => {
    const flipped = copyOf("flipped", {});
    const bytes = readFileSync(join(flipped, DUMP_FILE));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 1;
    writeFileSync(join(flipped, DUMP_FILE), bytes);
    await expect(restore(flipped)).rejects.toThrow(`${DUMP_FILE} is damaged`);
    const { tables } = backup.manifest;
    const [roles, equipment] = ["public.roles", "public.equipment"].map(
      (name) => tables[name] as Contents[string],
    );
    const altered = {
      ...tables,
      "public.roles": { ...(roles as Contents[string]), rows: 4 },
      "public.equipment": { ...(equipment as Contents[string]), hash: "0" },
    };
    await expect(restore(copyOf("altered", { tables: altered }))).rejects.toThrow(
      /public.equipment has other contents.*public.roles has 3 rows instead of 4/,
    );
    writeFileSync(join(flipped, MANIFEST_FILE), "{");
    await expect(restore(flipped)).rejects.toThrow("is damaged");
    expect(await scratchDatabases()).toHaveLength(0);
  });

  test("a backup of a newer version is refused", async () => {
    const newer = copyOf("newer", { migration: "9999_future" });
    await expect(restore(newer)).rejects.toThrow("9999_future, which this version does not know");
  });

  test.each([
    ["SIGKILL", [expect.stringMatching(/\.unfinished$/)]],
    ["SIGTERM", []],
  ] as const)(
    "a backup ended by %s leaves nothing that looks whole, and the next one tidies up",
    async (signal, left) => {
      const out = join(dir, signal);
      // pg_dump waits for this table.
      const { promise: locked, resolve: release } = Promise.withResolvers<void>();
      const isHeld = Promise.withResolvers<void>();
      const holding = database.pool.transaction(async (tx) => {
        await tx.sql`lock table attempts`;
        isHeld.resolve();
        await locked;
      });
      await isHeld.promise;
      const { child, ended } = irontrack(["backup:create", "--out", out]);
      const isWaiting = () => database.pool.sql`
      select from pg_locks join pg_database on pg_database.oid = database
      where datname = ${nameIn(database.url)} and not granted`;
      while ((await isWaiting()).length === 0) await Bun.sleep(10);
      const second = await irontrack(["backup:create", "--out", out]).ended;
      expect(second).toMatchObject({ code: 1, said: expect.stringContaining("Another backup") });
      child.kill(signal);
      expect((await ended).code).toBe(signal === "SIGKILL" ? null : 1);
      expect(names(out)).toEqual([...left]);
      release();
      await holding;
      const { path } = await createBackup(directUrl(), out, places());
      expect(names(out)).toEqual([path.slice(out.length + 1)]);
    },
  );

  test("a database that is not empty is replaced only when told to, and is kept", async () => {
    const into = someName();
    const owner = `${into}_owner`;
    await testPool().sql`create role ${testPool().sql(owner)}`;
    owners.push(owner);
    await testPool().sql`create database ${testPool().sql(into)} owner ${testPool().sql(owner)}`;
    const there = openPool(urlOf(into), { size: 1, prepare: false });
    await there.sql`create table precious (value text)`;
    await expect(restore(backup.path, { into })).rejects.toThrow("1 are connected");
    await there.close();
    const args = ["backup:restore", backup.path, "--into", into];
    expect(await irontrack(args).ended).toMatchObject({
      code: 2,
      said: expect.stringContaining("Say --yes"),
    });
    const { code, said } = await irontrack([...args, "--yes"]).ended;
    expect(said).toContain(`Restored into ${into}`);
    expect(code).toBe(0);
    const restored = openPool(urlOf(into), { size: 1, prepare: false });
    const tables =
      await restored.sql`select distinct tableowner from pg_tables where schemaname = 'public'`;
    expect([...tables]).toEqual([{ tableowner: owner }]);
    await restored.close();
    const aside = new RegExp(`kept as (${into}_before_\\d{14})`).exec(said)?.[1] as string;
    made.push(aside);
    const kept = openPool(urlOf(aside), { size: 1, prepare: false });
    expect(await kept.sql`select from precious`).toHaveLength(0);
    await kept.close();
  });

  test("--keep removes the oldest whole backups of this database, and nothing else", async () => {
    const out = join(dir, "kept");
    for (const day of [1, 2, 3])
      cpSync(
        copyOf(`day-${day}`, { takenAt: `2026-01-0${day}T00:00:00Z` }),
        join(out, `day-${day}`),
        {
          recursive: true,
        },
      );
    cpSync(
      copyOf("other", { takenAt: "2025-01-01T00:00:00Z", database: "other" }),
      join(out, "other"),
      {
        recursive: true,
      },
    );
    mkdirSync(join(out, "holiday-photos"));
    const { removed } = await createBackup(directUrl(), out, places(), { keep: 2 });
    expect(removed.map((path) => path.slice(out.length + 1))).toEqual(["day-1", "day-2"]);
    expect(names(out)).toEqual(expect.arrayContaining(["day-3", "holiday-photos", "other"]));
    expect(names(out)).toHaveLength(4);
  });

  test("without programs that fit, the package to install is named", async () => {
    const old = join(dir, "old");
    mkdirSync(old);
    for (const tool of ["pg_dump", "pg_restore"]) {
      writeFileSync(join(old, tool), `#!/bin/sh\necho '${tool} (PostgreSQL) 15.20'\n`);
      chmodSync(join(old, tool), 0o755);
    }
    const out = join(dir, "none");
    const { code, said } = await irontrack(["backup:create", "--out", out], { PG_BIN: old }).ended;
    expect(said).toContain(`version 18 or newer (15.20 in ${old}): install postgresql-client-18`);
    expect(code).toBe(1);
    expect(existsSync(out)).toBe(false);
  });

  test("wrong usage exits with 2, what is no backup with 1, in one line", async () => {
    const cases: [args: string[], code: number, line: string][] = [
      [["backup:create", "--keep", "0"], 2, "--keep takes"],
      [["backup:restore", join(dir, "nowhere"), "--verify"], 2, "There is no backup"],
      [["backup:restore", dir], 2, "--verify"],
      [["backup:restore", dir, "--into", "a; drop"], 2, "--into takes"],
      [["backup:restore", dir, "--verify"], 1, "is no backup"],
    ];
    for (const [args, code, line] of cases) {
      const ended = await irontrack(args).ended;
      expect(ended).toEqual({
        code,
        said: expect.stringMatching(
          new RegExp(`^(reading the backup\\n)?irontrack: .*${line}.*\\n$`),
        ),
      });
    }
  });
});
