import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ensureAppRole } from "#db/app-role.ts";
import { openPool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
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
  /** The caller must hold its lock (`lockHome`). */
  home: Home;
  workers: number;
  /** Streaming replicas, for reads that may lag. */
  replicas?: number;
  /** If undefined, there is no proxy. */
  proxy?: Pick<ProxyOptions, "listen" | "variant"> | undefined;
  /** If false, the workers connect to PostgreSQL. A string is the path of PgBouncer. */
  pooler: boolean | string;
  /** Settings of the workers. */
  settings?: Record<string, string>;
  /** Settings that override deploy/postgres/postgresql.conf. */
  postgresSettings?: Record<string, string>;
  /** The log file of the workers; by default they inherit our streams. */
  workersLog?: string;
  log: Log;
  onStep?: (step: string) => void;
  /** Called when everything is up, and after each restart of a component. */
  onChange?: (topology: Topology) => void;
};

/** All components of production on this machine, supervised. Tests may stop or kill each. */
export type Topology = {
  postgres: Cluster;
  pooler: SupervisedComponent<Pooler> | undefined;
  workers: SupervisedComponent<Workers>;
  proxy: SupervisedComponent<RunningProxy> | undefined;
  /** URLs of the database: `owner` and `direct` bypass the pooler, `pooled` is for the workers. */
  urls: { owner: string; direct: string; pooled: string; replicas: string[] };
  /** Stops the proxy first, then the workers, which drain, and PostgreSQL last. */
  stop(): Promise<void>;
};

const DATABASE = "irontrack";
const ROLE = "irontrack_app";

/**
 * Starts PostgreSQL, PgBouncer, the workers and the proxy with the configuration of production, on a
 * migrated and seeded database. Each starts when the one before it responds. Throws OperatorError or
 * ClusterError, and then leaves nothing running.
 */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const { home, log, onStep = () => {} } = options;
  const password = randomBytes(24).toString("base64url");
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopComponent of stops.splice(0).reverse()) await stopComponent();
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
    const proxyOptions = options.proxy;
    const directory = join(home.dir, "proxy");
    const proxy =
      proxyOptions &&
      (await keep("proxy", (signal) =>
        startProxy({ ...proxyOptions, directory, workerSockets: sockets, signal }),
      ));
    topology = { postgres, pooler, workers, proxy, urls, stop };
    onUp();
    return topology;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Does what the migrator of compose.yaml does: database, schema, application role, catalog. */
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
