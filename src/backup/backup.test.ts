import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { openBackups } from "#test/backups.ts";
import { describeWithTools, testTools } from "#test/postgres-tools.ts";
import { testPool } from "#test/transaction.ts";
import { createBackup } from "./create-backup.ts";
import { type Contents, DUMP_FILE, MANIFEST_FILE, type Manifest } from "./manifest.ts";
import { runTool } from "./postgres-tools.ts";
import { statementsOf } from "./verify-restore.ts";

const namesIn = (path: string) => readdirSync(path).sort();

describeWithTools("backups", () => {
  let backups: Awaited<ReturnType<typeof openBackups>>;
  beforeAll(async () => {
    backups = await openBackups();
  });
  afterAll(() => backups?.close());

  test("a restored backup equals the original database, byte for byte", async () => {
    const into = backups.databaseName();
    const { checks } = await backups.restore(backups.backup.path, { into });
    expect(checks.map(({ what, state }) => [what, state])).toEqual([
      ["contents", "good"],
      ["schema", "good"],
      ["amcheck", "good"],
    ]);
    const dump = (url: string) =>
      runTool(testTools(), "pg_dump", ["--no-owner", "--no-privileges"], { url });
    const [before, after] = await Promise.all([dump(backups.directUrl), dump(backups.urlOf(into))]);
    expect(before.length).toBeGreaterThan(1_000_000);
    // PostgreSQL stores a row wherever there is space, so the order within a table may differ.
    const sorted = (text: string) => statementsOf(text).sort().join("\n");
    expect(sorted(after) === sorted(before)).toBe(true);
    // Devices that synced later changes than the backup has must start again.
    const restored = openPool(backups.urlOf(into), { size: 1, prepare: false });
    const [feed] =
      await restored.sql`select origin <> feed_origin() as "isMoved" from feed_generation`;
    await restored.close();
    expect(feed).toEqual({ isMoved: true });
  });

  test("a backup is one snapshot, even if rows are written meanwhile", async () => {
    const out = join(backups.dir, "one-moment");
    const writes: Promise<unknown>[] = [];
    const onStep = () => {
      const name = `late-${writes.length}`;
      writes.push(
        backups.database.pool
          .sql`insert into roles (slug, name) values (${name}, ${name})`.execute(),
      );
    };
    const { path, manifest } = await createBackup(backups.directUrl, out, backups.paths, {
      onStep,
    });
    expect((await Promise.all(writes)).length).toBeGreaterThan(2);
    expect(manifest.tables["public.roles"]?.rows).toBe(3);
    expect((await backups.restore(path)).checks.every(({ state }) => state === "good")).toBe(true);
  });

  test("a damaged dump or manifest is refused, and leaves nothing behind", async () => {
    const flipped = backups.copyWith("flipped", {});
    const bytes = readFileSync(join(flipped, DUMP_FILE));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 1;
    writeFileSync(join(flipped, DUMP_FILE), bytes);
    await expect(backups.restore(flipped)).rejects.toThrow(`${DUMP_FILE} is damaged`);
    const { tables } = backups.backup.manifest;
    const altered = {
      ...tables,
      "public.roles": { ...(tables["public.roles"] as Contents[string]), rows: 4 },
      "public.equipment": { ...(tables["public.equipment"] as Contents[string]), hash: "0" },
    };
    await expect(backups.restore(backups.copyWith("altered", { tables: altered }))).rejects.toThrow(
      /public.equipment has other contents.*public.roles has 3 rows instead of 4/,
    );
    writeFileSync(join(flipped, MANIFEST_FILE), "{");
    await expect(backups.restore(flipped)).rejects.toThrow("is damaged");
    const scratch = testPool().sql`
      select from pg_database where datname like 'irontrack_restoring_%'`;
    expect(await scratch).toHaveLength(0);
  });

  test("a backup of a newer version is refused", async () => {
    const newer = backups.copyWith("newer", { migration: "9999_future" });
    await expect(backups.restore(newer)).rejects.toThrow(
      "9999_future, which this version does not know",
    );
  });

  test.each([
    ["SIGKILL", [expect.stringMatching(/\.unfinished$/)]],
    ["SIGTERM", []],
  ] as const)(
    "a backup ended by %s leaves no complete backup, and the next one cleans up",
    async (signal, remaining) => {
      const out = join(backups.dir, signal);
      // pg_dump waits for this table.
      const { promise: locked, resolve: release } = Promise.withResolvers<void>();
      const isHeld = Promise.withResolvers<void>();
      const holding = backups.database.pool.transaction(async (tx) => {
        await tx.sql`lock table attempts`;
        isHeld.resolve();
        await locked;
      });
      await isHeld.promise;
      const { child, ended } = backups.irontrack(["backup:create", "--out", out]);
      const waiting = () => backups.database.pool.sql`
        select from pg_locks join pg_database on pg_database.oid = database
        where datname = ${new URL(backups.database.url).pathname.slice(1)} and not granted`;
      while ((await waiting()).length === 0) await Bun.sleep(10);
      const second = await backups.irontrack(["backup:create", "--out", out]).ended;
      expect(second).toMatchObject({ code: 1, output: expect.stringContaining("Another backup") });
      child.kill(signal);
      expect((await ended).code).toBe(signal === "SIGKILL" ? null : 1);
      expect(namesIn(out)).toEqual([...remaining]);
      release();
      await holding;
      const { path } = await createBackup(backups.directUrl, out, backups.paths);
      expect(namesIn(out)).toEqual([path.slice(out.length + 1)]);
    },
  );

  test("a database that is not empty is replaced only with --yes, and is kept under another name", async () => {
    const into = backups.databaseName();
    const owner = `${into}_owner`;
    await backups.createOwner(owner);
    const { sql } = testPool();
    await sql`create database ${sql(into)} owner ${sql(owner)}`;
    const existing = openPool(backups.urlOf(into), { size: 1, prepare: false });
    await existing.sql`create table precious (value text)`;
    await expect(backups.restore(backups.backup.path, { into })).rejects.toThrow(
      "has 1 open connections",
    );
    await existing.close();
    const args = ["backup:restore", backups.backup.path, "--into", into];
    expect(await backups.irontrack(args).ended).toMatchObject({
      code: 2,
      output: expect.stringContaining("Say --yes"),
    });
    const { code, output } = await backups.irontrack([...args, "--yes"]).ended;
    expect(output).toContain(`Restored into ${into}`);
    expect(code).toBe(0);
    const restored = openPool(backups.urlOf(into), { size: 1, prepare: false });
    const tables =
      await restored.sql`select distinct tableowner from pg_tables where schemaname = 'public'`;
    expect([...tables]).toEqual([{ tableowner: owner }]);
    await restored.close();
    const keptAs = new RegExp(`kept as (${into}_before_\\d{14})`).exec(output)?.[1] as string;
    const kept = openPool(backups.urlOf(backups.databaseName(keptAs)), { size: 1, prepare: false });
    expect(await kept.sql`select from precious`).toHaveLength(0);
    await kept.close();
  });

  test("--keep removes the oldest complete backups of this database, and nothing else", async () => {
    const out = join(backups.dir, "kept");
    const addBackup = (name: string, change: Partial<Manifest>) =>
      cpSync(backups.copyWith(name, change), join(out, name), { recursive: true });
    for (const day of [1, 2, 3]) addBackup(`day-${day}`, { takenAt: `2026-01-0${day}T00:00:00Z` });
    addBackup("other", { takenAt: "2025-01-01T00:00:00Z", database: "other" });
    mkdirSync(join(out, "holiday-photos"));
    const { removed } = await createBackup(backups.directUrl, out, backups.paths, { keep: 2 });
    expect(removed.map((path) => path.slice(out.length + 1))).toEqual(["day-1", "day-2"]);
    expect(namesIn(out)).toEqual(expect.arrayContaining(["day-3", "holiday-photos", "other"]));
    expect(namesIn(out)).toHaveLength(4);
  });

  test("without compatible programs, the error names the package to install", async () => {
    const old = join(backups.dir, "old");
    mkdirSync(old);
    for (const tool of ["pg_dump", "pg_restore"]) {
      writeFileSync(join(old, tool), `#!/bin/sh\necho '${tool} (PostgreSQL) 15.20'\n`);
      chmodSync(join(old, tool), 0o755);
    }
    const out = join(backups.dir, "none");
    const { code, output } = await backups.irontrack(["backup:create", "--out", out], {
      PG_BIN: old,
    }).ended;
    expect(output).toContain(`version 18 or newer (15.20 in ${old}): install postgresql-client-18`);
    expect(code).toBe(1);
    expect(existsSync(out)).toBe(false);
  });

  test("wrong usage exits with 2, an invalid backup with 1, with one line of output", async () => {
    const cases: [args: string[], code: number, line: string][] = [
      [["backup:create", "--keep", "0"], 2, "--keep takes"],
      [["backup:restore", join(backups.dir, "nowhere"), "--verify"], 2, "There is no backup"],
      [["backup:restore", backups.dir], 2, "--verify"],
      [["backup:restore", backups.dir, "--into", "a; drop"], 2, "--into takes"],
      [["backup:restore", backups.dir, "--verify"], 1, "is not a backup"],
    ];
    for (const [args, code, line] of cases) {
      const ended = await backups.irontrack(args).ended;
      expect(ended).toEqual({
        code,
        output: expect.stringMatching(
          new RegExp(`^(reading the backup\\n)?irontrack: .*${line}.*\\n$`),
        ),
      });
    }
  });
});
