import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import { describeWithTools, testTools } from "#test/postgres-tools.ts";
import { program } from "#test/program.ts";

const manual = readFileSync(join(import.meta.dir, "operations.md"), "utf8");
const ROOT = join(import.meta.dir, "..");

/** The only block marked `try` that contains `text`. */
function blockWith(text: string): string {
  const blocks = [...manual.matchAll(/^```\w+ try\n(.*?)^```/gms)].map(
    ([, block]) => block as string,
  );
  const matching = blocks.filter((block) => block.includes(text));
  if (matching.length !== 1) throw new Error(`${matching.length} blocks contain ${text}`);
  return matching[0] as string;
}

let dir: string;
let cluster: Cluster;
const paths = () => ({
  dataDir: join(dir, "data"),
  socketDir: join(dir, "run"),
  logFile: join(dir, "postgres.log"),
});

/** Runs a block as a reader would, with `irontrack` and PostgreSQL's programs on the PATH. */
function runBlock(block: string, env: Record<string, string> = {}): string {
  const run = spawnSync("sh", ["-euc", block], {
    cwd: dir,
    encoding: "utf8",
    env: {
      PATH: `${join(dir, "bin")}:${testTools().dir}:${process.env.PATH}`,
      BACKUPS: join(dir, "backups"),
      PGHOST: paths().socketDir,
      PGUSER: "irontrack",
      PGDATA: paths().dataDir,
      IRONTRACK_HOME: join(dir, "home"),
      DATABASE_URL: cluster.url("irontrack"),
      ...env,
    },
  });
  if (run.status !== 0)
    throw new Error(`${block}\nexited with ${run.status}: ${run.stdout}${run.stderr}`);
  return run.stdout + run.stderr;
}

async function query<T extends object>(statement: string): Promise<T[]> {
  const db = openPool(cluster.url("irontrack"), { size: 1, prepare: false });
  try {
    return (await db.sql.unsafe(statement)) as unknown as T[];
  } finally {
    await db.close();
  }
}

const listRoles = async () =>
  (await query<{ slug: string }>("select slug from roles order by 1")).map((r) => r.slug);
const addRole = (slug: string) =>
  query(`insert into roles (slug, name) values ('${slug}', '${slug}')`);
const start = () =>
  startCluster(paths(), { settings: { wal_level: "replica", max_wal_senders: "4" } });

describeWithTools("the commands in docs/operations.md", () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "irontrack-operations-"));
    chmodSync(dir, 0o711);
    for (const name of ["bin", "backups", "backups/dumps", "backups/base", "backups/wal"])
      mkdirSync(join(dir, name));
    // The user of the PostgreSQL server archives WAL there.
    for (const name of ["backups", "backups/wal"]) chmodSync(join(dir, name), 0o777);
    const command = program()
      .map((word) => `'${word}'`)
      .join(" ");
    for (const path of [join(dir, "bin/irontrack"), join(dir, "irontrack")]) {
      writeFileSync(path, `#!/bin/sh\nexec ${command} "$@"\n`);
      chmodSync(path, 0o755);
    }
    cluster = await start();
    await ensureDatabase(cluster, "irontrack");
    const db = openPool(cluster.url("irontrack"), { size: 1, prepare: false });
    await migrate(db);
    await db.close();
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("a dump is created, verified and restored", async () => {
    await addRole("before-the-dump");
    expect(runBlock(blockWith("backup:create"))).toContain("irontrack-20");
    expect(runBlock(blockWith("--verify"))).toMatch(
      /contents +good[\s\S]*schema +good[\s\S]*amcheck +good/,
    );
    await addRole("after-the-dump");
    runBlock(blockWith("--into irontrack"));
    expect(await listRoles()).not.toContain("after-the-dump");
    expect(await listRoles()).toContain("before-the-dump");
  });

  test("a new key is put before the key that signed", () => {
    runBlock("./irontrack compose:init --secrets secrets");
    const keys = () =>
      JSON.parse(readFileSync(join(dir, "secrets/jwt_private_keys"), "utf8")) as { kid: string }[];
    const [first] = keys();
    const inode = statSync(join(dir, "secrets/jwt_private_keys")).ino;
    runBlock(blockWith("jq "));
    expect(keys()).toHaveLength(2);
    expect(keys()[1]).toEqual(first as { kid: string });
    expect(statSync(join(dir, "secrets/jwt_private_keys")).ino).toBe(inode);
  });

  test("a base backup and archived WAL restore the moment before an accident", async () => {
    const { uid, gid } = statSync(paths().dataDir);
    const conf = blockWith("archive_command").replaceAll("BACKUPS", join(dir, "backups"));
    await cluster.stop();
    writeFileSync(join(paths().dataDir, "postgresql.conf"), conf, { flag: "a" });
    cluster = await start();
    runBlock(blockWith("pg_basebackup"));
    await addRole("last-good");
    const [moment] = await query<{ now: string }>("select clock_timestamp()::text as now");
    await query("delete from roles");
    await query("select pg_switch_wal()");
    for (let tries = 0; tries < 500; tries++) {
      const [archiver] = await query<{ done: boolean }>(
        "select last_archived_wal is not null and pg_walfile_name(pg_current_wal_lsn()) > last_archived_wal as done from pg_stat_archiver",
      );
      const [waiting] = await query<{ count: number }>(
        "select count(*)::integer as count from pg_ls_dir('pg_wal/archive_status') as name where name like '%.ready'",
      );
      if (archiver?.done && waiting?.count === 0) break;
      await Bun.sleep(20);
    }
    await cluster.stop();
    runBlock(blockWith("recovery.signal"), { UNTIL: moment?.now as string });
    // The test runs as root, PostgreSQL does not.
    spawnSync("chown", ["-R", `${uid}:${gid}`, paths().dataDir]);
    cluster = await start();
    for (let tries = 0; tries < 500; tries++) {
      const [state] = await query<{ recovering: boolean }>(
        "select pg_is_in_recovery() as recovering",
      );
      if (!state?.recovering) break;
      await Bun.sleep(20);
    }
    expect(await listRoles()).toContain("last-good");
    expect(readdirSync(join(dir, "backups/wal")).some((name) => name.endsWith(".part"))).toBe(
      false,
    );
  });

  test("every block marked `try` is run", () => {
    const count = [...manual.matchAll(/^```\w+ try$/gm)].length;
    const uses = readFileSync(join(ROOT, "docs/operations.slow.test.ts"), "utf8").match(
      /blockWith\("/g,
    );
    expect(uses?.length).toBe(count);
  });
});
