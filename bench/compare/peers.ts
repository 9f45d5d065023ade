import { rmSync } from "node:fs";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { type Estimate, median, ratioOfPairs, shuffled } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import { pin } from "../hosts/pinning.ts";
import {
  openPeerTestBed,
  PEER_PATHS,
  type PeerOperation,
  type PeerTestBed,
} from "../testbed/peer-testbed.ts";
import type { ServerProcess } from "../testbed/server-process.ts";
import { comparePasswordLibraries } from "./passwords.ts";
import { measurePgbench } from "./pgbench-page.ts";
import { measureRequestCost, type RequestCost } from "./request-cost.ts";

/** The measurements of one round, by server and operation. */
export type Round = Record<string, Partial<Record<PeerOperation, RequestCost>>>;

/** A ratio of ours to another server's. */
export type PeerFinding = {
  operation: PeerOperation;
  ours: string;
  beside: string;
  pairs: number;
  rate: Estimate;
  /** Null for pgbench, whose CPU is not known. */
  cpu: Estimate | null;
  /** Medians. They depend on this machine and its load. */
  oursMedian: RequestCost;
  besideMedian: RequestCost;
};

export type PeersResult = {
  format: 1;
  host: Fingerprint & { node: string | null };
  seconds: number;
  rounds: Round[];
  findings: PeerFinding[];
  passwords: string;
  notMeasured: string[];
};

export type PeersOptions = { pairs: number; seconds: number };

const OPERATIONS: PeerOperation[] = ["ping", "me", "page"];
const OURS = "IronTrack";
const UNCACHED = "IronTrack without its catalog cache";
const PGBENCH = "pgbench on the statement";

type Server = {
  name: string;
  operations: PeerOperation[];
  start(testBed: PeerTestBed): Promise<ServerProcess>;
};

const SERVERS: Server[] = [
  { name: OURS, operations: OPERATIONS, start: ({ startOurs }) => startOurs() },
  {
    name: UNCACHED,
    operations: ["page"],
    start: ({ startOurs }) => startOurs({ CATALOG_MEMORY_MIB: "0" }),
  },
  {
    name: "bare Bun.serve",
    operations: OPERATIONS,
    start: ({ startPeer }) => startPeer("bare", "bun"),
  },
  {
    name: "bare Bun.serve, our headers",
    operations: ["ping"],
    start: ({ startPeer }) => startPeer("bare", "bun", "like ours"),
  },
  {
    name: "Bun.serve static route",
    operations: ["ping"],
    start: ({ startPeer }) => startPeer("bare", "bun", "static"),
  },
  {
    name: "Hono on Bun",
    operations: OPERATIONS,
    start: ({ startPeer }) => startPeer("hono", "bun"),
  },
];
const ON_NODE: Server[] = [
  {
    name: "Fastify on Node",
    operations: OPERATIONS,
    start: ({ startPeer }) => startPeer("fastify", "node"),
  },
  {
    name: "Express on Node",
    operations: OPERATIONS,
    start: ({ startPeer }) => startPeer("express", "node"),
  },
];

/** Measures all servers in rounds: new processes in random order on the same database. */
export async function comparePeers({ pairs, seconds }: PeersOptions): Promise<PeersResult> {
  const node = nodeVersion();
  const servers = [...SERVERS, ...(node === null ? [] : ON_NODE)];
  // This process generates the load.
  pin([process.pid], "load");
  const dir = temporaryDirectory("peers");
  try {
    const testBed = await openPeerTestBed(dir);
    const rounds: Round[] = [];
    try {
      for (let round = 1; round <= pairs; round++) {
        process.stderr.write(`round ${round} of ${pairs}\n`);
        rounds.push(await measureRound(testBed, servers, seconds * 1000));
      }
    } finally {
      await testBed.close();
    }
    return {
      format: 1,
      host: { ...fingerprint(testBed.postgres), node },
      seconds,
      rounds,
      findings: findingsOf(rounds),
      passwords: await comparePasswordLibraries(pairs),
      notMeasured: [
        ...(node === null ? ON_NODE.map(({ name }) => name) : []),
        ...(Bun.which("pgbench") ? [] : [PGBENCH]),
      ],
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const nodeVersion = () =>
  Bun.which("node") ? Bun.spawnSync(["node", "--version"]).stdout.toString().trim() : null;

/**
 * The page uses as many connections as PostgreSQL has: more would wait, and pgbench sends a
 * statement only after the last answer.
 */
const CONNECTIONS: Record<PeerOperation, number> = { ping: 32, me: 32, page: 8 };
const WARM_UP_MS = 500;

async function measureRound(
  testBed: PeerTestBed,
  servers: Server[],
  durationMs: number,
): Promise<Round> {
  const round: Round = {};
  const { dir, cookie } = testBed;
  const runs = servers.map(({ name, operations, start }) => async () => {
    const server = await start(testBed);
    try {
      const measured: Round[string] = {};
      for (const operation of operations) {
        const headers: Record<string, string> = operation === "ping" ? {} : { cookie };
        const requestOptions = {
          paths: [PEER_PATHS[operation]],
          headers,
          connections: CONNECTIONS[operation],
        };
        measured[operation] = await measureRequestCost(dir, server, {
          ...requestOptions,
          warmUpMs: WARM_UP_MS,
          durationMs,
        });
      }
      round[name] = measured;
    } finally {
      await server.stop();
    }
  });
  const pgbench = async () => {
    const page = await measurePgbench(dir, CONNECTIONS.page, durationMs, "system");
    if (page) round[PGBENCH] = { page };
  };
  for (const run of shuffled([...runs, pgbench])) await run();
  return round;
}

/** Compares ours with every other server, by operation. */
export function findingsOf(rounds: Round[]): PeerFinding[] {
  const names = [...[...SERVERS, ...ON_NODE].map(({ name }) => name), PGBENCH];
  const others = names.filter((name) => name !== OURS && name !== UNCACHED);
  return OPERATIONS.flatMap((operation) =>
    [OURS, UNCACHED].flatMap((ours) =>
      others.flatMap((beside) => findingOf(rounds, operation, ours, beside)),
    ),
  );
}

/** Empty if no round measured both. */
function findingOf(
  rounds: Round[],
  operation: PeerOperation,
  ours: string,
  beside: string,
): PeerFinding[] {
  const pairs = rounds.flatMap((round) => {
    const [a, b] = [round[ours]?.[operation], round[beside]?.[operation]];
    return a && b ? [{ a, b }] : [];
  });
  if (pairs.length === 0) return [];
  const ratio = (metric: keyof RequestCost) =>
    ratioOfPairs(pairs.map(({ a, b }) => ({ a: a[metric], b: b[metric] })));
  const middle = (side: "a" | "b"): RequestCost => ({
    cpuUs: median(pairs.map((pair) => pair[side].cpuUs)),
    perSecond: median(pairs.map((pair) => pair[side].perSecond)),
  });
  return [
    {
      operation,
      ours,
      beside,
      pairs: pairs.length,
      rate: ratio("perSecond"),
      cpu: beside === PGBENCH ? null : ratio("cpuUs"),
      oursMedian: middle("a"),
      besideMedian: middle("b"),
    },
  ];
}
