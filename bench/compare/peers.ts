import { rmSync } from "node:fs";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { type Estimate, median, ratioOfPairs } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import { pin } from "../hosts/pinning.ts";
import {
  openPeerTestBed,
  PEER_PATHS,
  type PeerOperation,
  type PeerTestBed,
} from "../testbed/peer-testbed.ts";
import type { ServerProcess } from "../testbed/server-process.ts";
import { type Measured, measure } from "./measured.ts";
import { comparePasswordLibraries } from "./passwords.ts";
import { measurePgbench } from "./pgbench-page.ts";

/** Who was measured on what, in one round. */
export type Round = Record<string, Partial<Record<PeerOperation, Measured>>>;

/** How many times one of ours does what another does. */
export type PeerFinding = {
  operation: PeerOperation;
  ours: string;
  beside: string;
  pairs: number;
  rate: Estimate;
  /** Null beside pgbench, whose CPU is not known. */
  cpu: Estimate | null;
  /** Medians, of this machine in this minute. */
  oursMedian: Measured;
  besideMedian: Measured;
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

const ALL: PeerOperation[] = ["ping", "me", "page"];
const OURS = "IronTrack";
const FORGETFUL = "IronTrack, remembering no answers";
const PGBENCH = "pgbench on the statement";

type Contestant = {
  name: string;
  operations: PeerOperation[];
  start(testBed: PeerTestBed): Promise<ServerProcess>;
};

const CONTESTANTS: Contestant[] = [
  { name: OURS, operations: ALL, start: ({ startOurs }) => startOurs() },
  {
    name: FORGETFUL,
    operations: ["page"],
    start: ({ startOurs }) => startOurs({ CATALOG_MEMORY_MIB: "0" }),
  },
  { name: "bare Bun.serve", operations: ALL, start: ({ startPeer }) => startPeer("bare", "bun") },
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
  { name: "Hono on Bun", operations: ALL, start: ({ startPeer }) => startPeer("hono", "bun") },
];
const ON_NODE: Contestant[] = [
  {
    name: "Fastify on Node",
    operations: ALL,
    start: ({ startPeer }) => startPeer("fastify", "node"),
  },
  {
    name: "Express on Node",
    operations: ALL,
    start: ({ startPeer }) => startPeer("express", "node"),
  },
];

/** Measures everybody in rounds, each with fresh processes in random order on the same database. */
export async function comparePeers({ pairs, seconds }: PeersOptions): Promise<PeersResult> {
  const node = nodeVersion();
  const contestants = [...CONTESTANTS, ...(node === null ? [] : ON_NODE)];
  // The load is sent by this process.
  pin([process.pid], "load");
  const dir = temporaryDirectory("peers");
  try {
    const testBed = await openPeerTestBed(dir);
    const rounds: Round[] = [];
    try {
      for (let round = 1; round <= pairs; round++) {
        process.stderr.write(`round ${round} of ${pairs}\n`);
        rounds.push(await measureRound(testBed, contestants, seconds * 1000));
      }
    } finally {
      await testBed.close();
    }
    return {
      format: 1,
      host: { ...fingerprint(testBed.postgres), node },
      ...{ seconds, rounds },
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
 * PostgreSQL has as many connections; more of them only wait, and pgbench sends nothing before it
 * has its answer.
 */
const CONNECTIONS: Record<PeerOperation, number> = { ping: 32, me: 32, page: 8 };
const WARM_UP_MS = 500;

async function measureRound(
  testBed: PeerTestBed,
  contestants: Contestant[],
  durationMs: number,
): Promise<Round> {
  const round: Round = {};
  const { dir, cookie } = testBed;
  const runs = contestants.map(({ name, operations, start }) => async () => {
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
        measured[operation] = await measure(dir, server, {
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

/** Fisher and Yates. */
function shuffled<T>(items: T[]): T[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
  return items;
}

/** Ours beside everybody else, operation by operation. */
export function findingsOf(rounds: Round[]): PeerFinding[] {
  const names = [...[...CONTESTANTS, ...ON_NODE].map(({ name }) => name), PGBENCH];
  const rivals = names.filter((name) => name !== OURS && name !== FORGETFUL);
  return ALL.flatMap((operation) =>
    [OURS, FORGETFUL].flatMap((ours) =>
      rivals.flatMap((beside) => findingOf(rounds, operation, ours, beside)),
    ),
  );
}

/** None when the two were never measured on it in the same round. */
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
  const ratio = (of: keyof Measured) =>
    ratioOfPairs(pairs.map(({ a, b }) => ({ a: a[of], b: b[of] })));
  const middle = (side: "a" | "b"): Measured => ({
    cpuUs: median(pairs.map((pair) => pair[side].cpuUs)),
    perSecond: median(pairs.map((pair) => pair[side].perSecond)),
  });
  return [
    {
      ...{ operation, ours, beside, pairs: pairs.length },
      rate: ratio("perSecond"),
      cpu: beside === PGBENCH ? null : ratio("cpuUs"),
      ...{ oursMedian: middle("a"), besideMedian: middle("b") },
    },
  ];
}
