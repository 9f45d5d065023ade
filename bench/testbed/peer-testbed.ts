import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { QUIET } from "../disk/cluster.ts";
import type { PeerSettings } from "../servers/peer-store.ts";
import { signUpAndIn } from "./accounts.ts";
import { fetchAnswer, startApplicationOn } from "./applications.ts";
import { databaseUrl, pinPostgres, serverVersion, socketDir } from "./embedded-postgres.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

/** The operations that every peer serves, by the path that an authenticated client requests. */
export const PEER_PATHS = {
  ping: "/ping",
  me: "/api/v1/access/me",
  page: "/api/v1/exercises?scope=system&pageSize=20",
};
export type PeerOperation = keyof typeof PEER_PATHS;

/** One database for the application and its peers, and the application's answers on it. */
export type PeerTestBed = {
  dir: string;
  postgres: string;
  cookie: string;
  startOurs(settings?: Record<string, string>): Promise<ServerProcess>;
  /** Starts a peer of `servers/` by its name. Throws if its answers differ from ours. */
  startPeer(name: string, runtime: Runtime, how?: "like ours" | "static"): Promise<ServerProcess>;
  close(): Promise<void>;
};

export type Runtime = "bun" | "node";

const ROOT = join(import.meta.dir, "../..");
/** Below node_modules, so that Node resolves the same packages. */
const BUILT = join(ROOT, "node_modules/.irontrack/peers");

/** Starts PostgreSQL under `dir`, migrated and seeded, with one account that is signed in. */
export async function openPeerTestBed(dir: string): Promise<PeerTestBed> {
  // PostgreSQL does not run as root and must be able to enter the directory.
  chmodSync(dir, 0o711);
  mkdirSync(join(dir, "run"));
  const paths = {
    dataDir: join(dir, "postgres"),
    socketDir: socketDir(dir),
    logFile: join(dir, "postgres.log"),
  };
  const cluster = await startCluster(paths, { settings: QUIET });
  try {
    await ensureDatabase(cluster, "irontrack");
    const db = openPool(databaseUrl(dir), { size: 1, prepare: false });
    await migrate(db);
    await seedCatalog(db, readCatalog());
    await db.sql`vacuum analyze`;
    const postgres = await serverVersion(db);
    await db.close();
    pinPostgres(dir);

    const startOurs = (settings = {}) => startApplicationOn(databaseUrl(dir), dir, settings);
    const ours = await startOurs();
    const cookie = await signUpAndIn(ours.socketPath);
    const answers = await answersOf(ours, cookie);
    const jwks = JSON.parse(
      (await fetchAnswer(ours.socketPath, "/.well-known/jwks.json", "")).body,
    );
    await ours.stop();

    return {
      dir,
      cookie,
      startOurs,
      postgres,
      startPeer: async (name, runtime, how) => {
        const unix = join(dir, "run/peer.sock");
        rmSync(unix, { force: true });
        const settings: PeerSettings = {
          unix,
          jwks,
          databaseSocket: join(socketDir(dir), ".s.PGSQL.5432"),
          ...(how === "like ours" ? { pingHeaders: answers.ping.headers } : {}),
          isPingStatic: how === "static",
        };
        const script =
          runtime === "node" ? await buildForNode(name) : `bench/servers/peer-${name}.ts`;
        const program = runtime === "node" ? "node" : process.execPath;
        const peer = await startServer(
          [script, JSON.stringify(settings)],
          unix,
          { NODE_ENV: "production" },
          { runtime: program },
        );
        const difference = differenceOf(answers, await answersOf(peer, cookie));
        if (difference === undefined) return peer;
        await peer.stop();
        throw new Error(`${name} on ${runtime} answers ${difference} differently`);
      },
      close: cluster.stop,
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

export type Answers = Record<PeerOperation, Awaited<ReturnType<typeof fetchAnswer>>>;

async function answersOf({ socketPath }: ServerProcess, cookie: string): Promise<Answers> {
  const [ping, me, page] = await Promise.all(
    Object.values(PEER_PATHS).map((path) => fetchAnswer(socketPath, path, cookie)),
  );
  return { ping, me, page } as Answers;
}

/**
 * The first operation whose answers differ in status or JSON; undefined if none does. Headers and
 * the order of fields are not compared.
 */
export function differenceOf(ours: Answers, theirs: Answers): string | undefined {
  const contentOf = ({ status, body }: Answers["ping"]) => [
    status,
    body.startsWith("{") ? JSON.parse(body) : body,
  ];
  return Object.keys(PEER_PATHS).find(
    (name) =>
      !Bun.deepEquals(
        contentOf(ours[name as PeerOperation]),
        contentOf(theirs[name as PeerOperation]),
        true,
      ),
  );
}

/**
 * Bundles the peer's own files for Node, which does not run our TypeScript; packages stay external.
 */
async function buildForNode(name: string): Promise<string> {
  const entrypoints = [join(ROOT, `bench/servers/peer-${name}.ts`)];
  const options = {
    target: "node",
    packages: "external",
    naming: "[name].mjs",
    outdir: BUILT,
  } as const;
  await Bun.build({ entrypoints, ...options });
  return join(BUILT, `peer-${name}.mjs`);
}
