import { type Db, openPool, type Pool, type PoolOptions, shareTypes } from "#db/client.ts";
import { isDatabaseUnavailable, refusalOf } from "#db/errors.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import type { Log } from "../log/log.ts";
import {
  findLastWrite,
  findPrimaryPosition,
  hasReplayed,
  recordLastWrite,
} from "./last-writes.queries.ts";

/** Replicas of the database, for reads that may miss recent writes of other users (ADR 0024). */
export type Replicas = {
  /**
   * Runs `read` on a replica that has replayed all acknowledged writes of `userId`, or on the
   * primary if there is none or the replica fails. `read` may run twice, so it must not write.
   */
  read<T>(userId: string, read: (db: Db) => Promise<T>): Promise<T>;
  /**
   * Records a write of `userId`, whether it succeeded or not. Await it before answering: from then
   * on, no process reads a state from before the write.
   */
  recordWrite(userId: string): Promise<void>;
  readonly stats: ReplicaStats;
  close(): Promise<void>;
};

export type ReplicaStats = {
  /** How many replicas are in use. */
  used: number;
  /**
   * Reads by outcome: answered by a replica, or sent to the primary because the replica was behind,
   * had no free connection, or failed.
   */
  reads: { answered: number; behind: number; busy: number; failed: number };
};

type Replica = {
  url: string;
  isUsed: boolean;
  use(isUsed: boolean): void;
  pool: Pool;
  probing: Pool;
};

/** `pool` are the options of the primary's pool. On a replica, no read waits for a connection. */
type Options = { pool: PoolOptions; log: Pick<Log, "info" | "warn"> };

const PROBE_INTERVAL_MS = 1000;
const PROBE_TIMEOUT_MS = 800;
/** A replica is used if it has replayed the primary's position of this many probes ago. */
const MAX_PROBES_BEHIND = 10;

/**
 * Opens the replicas at `urls`, and probes each once a second in the background. A replica that
 * does not answer is not used, and pending reads go to the primary. It is used again once it
 * answers and has caught up.
 */
export async function openReplicas(
  primary: Db,
  urls: string[],
  options: Options,
): Promise<Replicas> {
  const replicas = urls.map((url, index): Replica => {
    const use = (isUsed: boolean) => {
      if (isUsed && !replica.isUsed) options.log.info({ replica: index + 1 }, "replica is used");
      if (!isUsed && replica.isUsed)
        options.log.warn({ replica: index + 1 }, "replica is left out");
      replica.isUsed = isUsed;
    };
    const replica = { url, isUsed: false, use, ...openPools(primary, url, options) };
    return replica;
  });
  const stopProbing = await startProbing(primary, replicas, options);
  const reads = { answered: 0, behind: 0, busy: 0, failed: 0 };
  let turn = 0;

  const nextReplica = () => {
    for (let tries = 0; tries < replicas.length; tries++) {
      const replica = replicas[turn++ % replicas.length] as Replica;
      if (replica.isUsed) return replica;
    }
    return undefined;
  };

  return {
    stats: {
      get used() {
        return replicas.filter(({ isUsed }) => isUsed).length;
      },
      reads,
    },
    read: async (userId, read) => {
      const replica = nextReplica();
      if (!replica) return read(primary);
      const position =
        (await findLastWrite(primary, userId)) ?? (await recordLastWrite(primary, userId));
      const answer = await readFrom(replica, position, read, reads);
      return answer ? answer.value : read(primary);
    },
    recordWrite: async (userId) => void (await recordLastWrite(primary, userId)),
    close: async () => {
      stopProbing();
      await Promise.all(replicas.flatMap(({ pool, probing }) => [pool.close(), probing.close(0)]));
    },
  };
}

/**
 * Runs `read` on the replica if it has replayed the WAL up to `position`; undefined if the primary
 * must be read instead.
 */
async function readFrom<T>(
  replica: Replica,
  position: string,
  read: (db: Db) => Promise<T>,
  reads: ReplicaStats["reads"],
): Promise<{ value: T } | undefined> {
  try {
    // One connection for the check and the read: another server, or this one after a restart, may
    // have replayed less. With READ COMMITTED each statement sees at least what the first found.
    const answer = await replica.pool.transaction(async (tx) =>
      (await hasReplayed(tx, position)) ? { value: await read(tx) } : undefined,
    );
    reads[answer ? "answered" : "behind"]++;
    return answer;
  } catch (error) {
    if (error instanceof AppError) {
      reads.answered++;
      throw error;
    }
    const refusal = refusalOf(error);
    if (refusal === "CLIENT_GONE") throw error;
    reads[refusal ? "busy" : "failed"]++;
    if (isLost(error)) replica.use(false);
    return undefined;
  }
}

/** Whether the replica is unavailable. One that cancelled the read in favour of replay is not. */
const isLost = (error: unknown) =>
  isDatabaseUnavailable(error) && !(postgresError(error)?.code.startsWith("40") ?? false);

function openPools(primary: Db, url: string, { pool: { admission, ...options } }: Options) {
  const pools = {
    // A read that replay cancelled is not retried here: the primary answers at once. The probe
    // closes a silent pool.
    pool: openPool(url, {
      ...options,
      ...(admission && {
        admission: { ...admission, maxQueued: 0, maxRetries: 0, watchdog: undefined },
      }),
    }),
    // A separate pool, so that the probe does not wait for long reads.
    probing: openPool(url, { size: 1, prepare: false }),
  };
  for (const pool of Object.values(pools)) shareTypes(primary, pool);
  return pools;
}

/** Probes now, and then once a second until the returned function is called. */
async function startProbing(
  primary: Db,
  replicas: Replica[],
  options: Options,
): Promise<() => void> {
  /** Positions of the primary, oldest first. */
  const positions: string[] = [];
  let isProbingPrimary = false;
  const probePrimary = async () => {
    if (isProbingPrimary) return;
    isProbingPrimary = true;
    try {
      positions.push(await findPrimaryPosition(primary));
      if (positions.length > MAX_PROBES_BEHIND) positions.shift();
    } catch {
      // Readiness reports the primary; replicas are compared with its last known positions.
    } finally {
      isProbingPrimary = false;
    }
  };
  const probeReplica = async (replica: Replica) => {
    const { pool, probing } = replica;
    const isCaughtUp = await Promise.race([
      hasReplayed(probing, positions[0] ?? UNREACHABLE).catch(() => undefined),
      Bun.sleep(PROBE_TIMEOUT_MS).then(() => undefined),
    ]);
    replica.use(isCaughtUp ?? false);
    if (isCaughtUp !== undefined) return;
    // Closing the pools fails the reads that wait for this replica, so that they go to the primary.
    Object.assign(replica, openPools(primary, replica.url, options));
    await Promise.all([pool.close(0), probing.close(0)]);
  };
  const probeReplicas = () => Promise.all(replicas.map(probeReplica));

  await probePrimary();
  await probeReplicas();
  const timer = setInterval(
    () => void Promise.all([probePrimary(), probeReplicas()]),
    PROBE_INTERVAL_MS,
  );
  return () => clearInterval(timer);
}

/** A position that no replica ever reaches. */
const UNREACHABLE = "FFFFFFFF/FFFFFFFF";
