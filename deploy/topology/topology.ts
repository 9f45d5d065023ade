import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ensureAppRole } from "#db/app-role.ts";
import { openPool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import type { Home } from "#lib/home.ts";
import type { Running } from "#lib/processes/supervise.ts";
import { isCatalogEmpty, seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import type { Log } from "#src/log/log.ts";
import { type Pooler, startPooler } from "./pooler.ts";
import { CONFIGURATION, SMALL } from "./postgres-settings.ts";
import { type ProxyOptions, type RunningProxy, startProxy } from "./proxy.ts";
import { startReplicas } from "./replicas.ts";
import { type SupervisedComponent, superviseComponent } from "./supervised-component.ts";
import { startWorkers, type Workers } from "./workers.ts";

export type TopologyOptions = {
  /** Held by the caller (lockHome). */
  home: Home;
  workers: number;
  /** Streaming replicas, from which the workers read what may lag. */
  replicas?: number;
  /** Absent: no proxy. */
  proxy?: Pick<ProxyOptions, "listen" | "variant"> | undefined;
  /** False: the workers talk to PostgreSQL. A string is a program of PgBouncer. */
  pooler: boolean | string;
  /** Of the workers. */
  settings?: Record<string, string>;
  /** Of PostgreSQL, beyond deploy/postgres/postgresql.conf. */
  postgresSettings?: Record<string, string>;
  /** Where the log of the workers goes; absent: to ours. */
  workersLog?: string;
  log: Log;
  onStep?: (step: string) => void;
  /** Everything is up, or something is up again: other processes than before. */
  onChange?: (topology: Topology) => void;
};

/**
 * Everything that production has, as processes on this machine. Each is supervised, and tests may
 * stop or kill it.
 */
export type Topology = {
  postgres: Cluster;
  pooler: SupervisedComponent<Pooler> | undefined;
  workers: SupervisedComponent<Workers>;
  proxy: SupervisedComponent<RunningProxy> | undefined;
  /** Of the database: past the pooler as its owner, and as the workers have it. */
  urls: { owner: string; direct: string; pooled: string; replicas: string[] };
  /** The proxy first, then the workers, who drain; PostgreSQL last. */
  stop(): Promise<void>;
};

const DATABASE = "irontrack";
const ROLE = "irontrack_app";

/**
 * Starts PostgreSQL, PgBouncer, the workers and the proxy from the configuration files of
 * production, each when the one before it answers, on a migrated and seeded database. Throws
 * OperatorError or ClusterError; nothing is left running then.
 */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const { home, log, onStep = () => {} } = options;
  const password = randomBytes(24).toString("base64url");
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopPiece of stops.splice(0).reverse()) await stopPiece();
  };
  let topology: Topology | undefined;
  const onUp = () => topology && options.onChange?.(topology);
  const keep = async <T extends Running & { pid: number }>(
    name: string,
    start: (signal: AbortSignal) => Promise<T>,
  ) => {
    onStep(`starting ${name}`);
    const component = await superviseComponent(name, start, { log, onUp });
    stops.push(component.stop);
    return component;
  };
  try {
    const socketDir = join(home.runDir, "postgres");
    const paths = { dataDir: home.dataDir, socketDir, logFile: home.postgresLog };
    const postgresOptions = {
      configFile: CONFIGURATION,
      settings: { ...SMALL, ...options.postgresSettings },
      onStep,
      onDown: (reason: string) => log.error({ reason }, "PostgreSQL is down and is started again"),
    };
    const postgres = await startCluster(paths, postgresOptions);
    stops.push(postgres.stop);
    const owner = postgres.url(DATABASE);
    await prepareDatabase(postgres, password, onStep);
    const asRole = (cluster: Cluster) =>
      Object.assign(new URL(cluster.url(DATABASE)), { username: ROLE, password }).href;
    const direct = asRole(postgres);
    const primary = { cluster: postgres, paths };
    const replicas = await startReplicas(
      options.replicas ?? 0,
      primary,
      home,
      postgresOptions,
      ({ stop: stopReplica }) => stops.push(stopReplica),
    );
    const pooler =
      options.pooler === false
        ? undefined
        : await keep("PgBouncer", (signal) =>
            startPooler({
              signal,
              directory: join(home.runDir, "pooler"),
              postgresSocketDir: socketDir,
              user: ROLE,
              password,
              runAs: postgres.runAs,
              ...(typeof options.pooler === "string" ? { program: options.pooler } : {}),
            }),
          );
    const pooled = pooler?.current().url(DATABASE) ?? direct;
    const urls = { owner, direct, pooled, replicas: replicas.map(asRole) };
    const settings = {
      IRONTRACK_HOME: home.dir,
      DATABASE_URL: pooled,
      DATABASE_DIRECT_URL: direct,
      DATABASE_REPLICA_URLS: urls.replicas.join(","),
      DATABASE_PREPARE: String(pooler?.current().canPrepare ?? true),
      ...options.settings,
    };
    const { workers: count, workersLog: logFile } = options;
    const workers = await keep("workers", (signal) =>
      startWorkers({ count, runDir: home.runDir, settings, logFile, signal }),
    );
    const { sockets } = workers.current();
    const wanted = options.proxy;
    const directory = join(home.dir, "proxy");
    const proxy =
      wanted &&
      (await keep("proxy", (signal) =>
        startProxy({ ...wanted, directory, workerSockets: sockets, signal }),
      ));
    topology = { postgres, pooler, workers, proxy, urls, stop };
    onUp();
    return topology;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As the migrator of compose.yaml does: database, schema, the application's role, catalog. */
async function prepareDatabase(
  postgres: Cluster,
  password: string,
  onStep: (step: string) => void,
) {
  await ensureDatabase(postgres, DATABASE);
  const db = openPool(postgres.url(DATABASE), { size: 1, prepare: false });
  try {
    await migrate(db, undefined, (tag) => onStep(`applying migration ${tag}`));
    await ensureAppRole(db, ROLE, password);
    if (!(await isCatalogEmpty(db))) return;
    onStep("seeding the exercise catalog");
    await seedCatalog(db, readCatalog());
  } finally {
    await db.close();
  }
}
