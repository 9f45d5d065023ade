import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { isDatabaseUnavailable } from "#db/errors.ts";
import { resumeStandby, startStandby } from "#db/standby.ts";
import { type Pooler, startPooler } from "#deploy/topology/pooler.ts";
import { migrateWithRoles } from "./own-database.ts";

/** A PostgreSQL with a streaming replica, and a migrated database with the roles. */
export type ReplicatedPostgres = {
  /** The directory of sockets and logs; tests may add files. */
  dir: string;
  primary: Pool;
  primaryUrl: string;
  replicaUrl: string;
  /** Starts PgBouncer in front of the replica. The caller must stop it before the replica. */
  startReplicaPooler(): Promise<Pooler>;
  /** The replica receives new writes but does not show them. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** Resolves when the replica has replayed everything that the primary has now. */
  catchUp(): Promise<void>;
  /** Stops the replica and closes all its connections. */
  stopReplica(): Promise<void>;
  startReplica(): Promise<void>;
  /** Sends a signal to all processes of the replica, including its backends. */
  signalReplica(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
};

const DATABASE = "irontrack_test";
const OPTIONS = { durable: false, settings: { synchronous_commit: "on" } };

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'irontrack-replicated it\'s an "odd" place #-'));
  chmodSync(dir, 0o711);
  const paths = (name: string) => ({
    dataDir: join(dir, name),
    socketDir: join(dir, `${name}.run`),
    logFile: join(dir, `${name}.log`),
  });
  const main = await startCluster(paths("primary"), OPTIONS);
  await ensureDatabase(main, DATABASE);
  const primary = openPool(main.url(DATABASE), { size: 4, prepare: true });
  await migrateWithRoles(primary);
  let replica: Cluster = await startStandby(main, paths("primary"), paths("replica"), OPTIONS);
  const replicaUrl = replica.url(DATABASE);

  /** Retries while the replica is unavailable, for example right after a kill. */
  const onReplica = async (work: (db: Pool) => Promise<void>) => {
    for (let tries = 1; ; tries++) {
      const db = openPool(replicaUrl, { size: 1, prepare: false });
      try {
        return await work(db);
      } catch (error) {
        if (tries === 100 || !isDatabaseUnavailable(error)) throw error;
        await Bun.sleep(100);
      } finally {
        await db.close(1);
      }
    }
  };
  return {
    dir,
    primary,
    primaryUrl: main.url(DATABASE),
    replicaUrl,
    startReplicaPooler: () =>
      startPooler({
        directory: join(dir, "pooler"),
        postgresSocketDir: paths("replica").socketDir,
        user: "irontrack",
        password: "a password",
        runAs: main.runAs,
      }),
    pauseReplay: () => onReplica(async ({ sql }) => void (await sql`select pg_wal_replay_pause()`)),
    resumeReplay: () =>
      onReplica(async ({ sql }) => void (await sql`select pg_wal_replay_resume()`)),
    catchUp: async () => {
      const [row] = await primary.sql`select pg_current_wal_flush_lsn()::text as position`;
      await onReplica(async ({ sql }) => {
        for (;;) {
          const [replay] =
            await sql`select pg_last_wal_replay_lsn() >= ${row?.position}::pg_lsn as "hasCaughtUp"`;
          if (replay?.hasCaughtUp) return;
          await Bun.sleep(10);
        }
      });
    },
    stopReplica: () => replica.stop(),
    startReplica: async () => {
      replica = await resumeStandby(paths("primary"), paths("replica"), OPTIONS);
    },
    signalReplica: (signal) => {
      for (const pid of processesOf(replica.pid() as number)) process.kill(pid, signal);
    },
    stop: async () => {
      await primary.close();
      await replica.stop();
      await main.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function processesOf(postmaster: number): number[] {
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8");
  return [postmaster, ...children.trim().split(" ").map(Number)];
}
