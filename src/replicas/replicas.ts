import { type Db, openPool, type Pool, type PoolOptions, shareTypes } from "#db/client.ts";
import { isDatabaseUnavailable, refusalOf } from "#db/errors.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import type { Log } from "../log/log.ts";
import {
  findLastWrite,
  findPrimaryPosition,
  hasReplayed,
  noteLastWrite,
} from "./last-writes.queries.ts";

/**
 * Replicas of the database, for reads in which other people's writes may come a little late (ADR
 * 0024).
 */
export type Replicas = {
  /**
   * Runs `read` on a replica that shows every write of `userId` which was answered before; on the
   * primary when there is none, or when it fails there. So `read` may run twice, and must only
   * read.
   */
  read<T>(userId: string, read: (db: Db) => Promise<T>): Promise<T>;
  /**
   * To be awaited before a write of `userId` is answered, whatever it came to: no process overlooks
   * it from then on.
   */
  noteWrite(userId: string): Promise<void>;
  readonly stats: ReplicaStats;
  close(): Promise<void>;
};

export type ReplicaStats = {
  /** How many replicas are in use now. */
  used: number;
  /**
   * Reads that replicas answered, that one had not replayed enough or no connection for, and that
   * failed on one.
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

/**
 * `pool` as the primary's: a replica's differs in that nobody waits for a connection, but goes on
 * to the primary.
 */
type Options = { pool: PoolOptions; log: Pick<Log, "info" | "warn"> };

const PROBE_INTERVAL_MS = 1000;
const PROBE_TIMEOUT_MS = 800;
/**
 * How many probes ago the primary may have been where a replica that is used is now: nobody sees
 * what is older.
 */
const PROBES_BEHIND = 10;

/**
 * Opens the replicas at `urls`. Each is asked once a second, never while somebody waits, whether it
 * answers and how far it is: one that does not answer is left out, with all that waits for it sent
 * to the primary, and taken back when it answers and has caught up.
 */
export async function openReplicas(
  primary: Db,
  urls: string[],
  options: Options,
): Promise<Replicas> {
  const replicas = urls.map((url, at): Replica => {
    const use = (isUsed: boolean) => {
      if (isUsed && !replica.isUsed) options.log.info({ replica: at + 1 }, "replica is used");
      if (!isUsed && replica.isUsed) options.log.warn({ replica: at + 1 }, "replica is left out");
      replica.isUsed = isUsed;
    };
    const replica = { url, isUsed: false, use, ...openPools(primary, url, options) };
    return replica;
  });
  const stopProbing = await probe(primary, replicas, options);
  const reads = { answered: 0, behind: 0, busy: 0, failed: 0 };
  let turn = 0;

  const next = () => {
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
      const replica = next();
      if (!replica) return read(primary);
      const position =
        (await findLastWrite(primary, userId)) ?? (await noteLastWrite(primary, userId));
      const answer = await readFrom(replica, position, read, reads);
      return answer ? answer.value : read(primary);
    },
    noteWrite: async (userId) => void (await noteLastWrite(primary, userId)),
    close: async () => {
      stopProbing();
      await Promise.all(replicas.flatMap(({ pool, probing }) => [pool.close(), probing.close(0)]));
    },
  };
}

/**
 * What `read` found on a replica that shows everything up to `position`; undefined when the primary
 * has to be asked.
 */
async function readFrom<T>(
  replica: Replica,
  position: string,
  read: (db: Db) => Promise<T>,
  reads: ReplicaStats["reads"],
): Promise<{ value: T } | undefined> {
  try {
    // One connection from the question to the answer: elsewhere, or after a restart, replay may not
    // be as far. Statements see what is there when each begins (READ COMMITTED), so none sees less
    // than what the first found replayed.
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
    const refused = refusalOf(error);
    if (refused === "CLIENT_GONE") throw error;
    reads[refused ? "busy" : "failed"]++;
    if (isLost(error)) replica.use(false);
    return undefined;
  }
}

/**
 * True unless the replica answers, if only to say that it undid this read for the sake of replay.
 */
const isLost = (error: unknown) =>
  isDatabaseUnavailable(error) && !(postgresError(error)?.code.startsWith("40") ?? false);

function openPools(primary: Db, url: string, { pool: { admission, ...pool } }: Options) {
  const pools = {
    // What replay undid is not tried there again: the primary answers at once. The probe closes a
    // pool that is silent.
    pool: openPool(url, {
      ...pool,
      ...(admission && {
        admission: { ...admission, maxQueued: 0, maxRetries: 0, watchdog: undefined },
      }),
    }),
    // Of its own, so that the probe does not wait behind long reads.
    probing: openPool(url, { size: 1, prepare: false }),
  };
  for (const each of Object.values(pools)) shareTypes(primary, each);
  return pools;
}

/** Probes now and then once a second, until the function that it returns is called. */
async function probe(primary: Db, replicas: Replica[], options: Options): Promise<() => void> {
  /** Of the primary, the oldest first. */
  const positions: string[] = [];
  let isAsking = false;
  const askPrimary = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      positions.push(await findPrimaryPosition(primary));
      if (positions.length > PROBES_BEHIND) positions.shift();
    } catch {
      // Readiness tells of the primary; replicas are held to where it was last.
    } finally {
      isAsking = false;
    }
  };
  const ask = async (replica: Replica) => {
    const { pool, probing } = replica;
    const isCaughtUp = await Promise.race([
      hasReplayed(probing, positions[0] ?? BEYOND_ALL).catch(() => undefined),
      Bun.sleep(PROBE_TIMEOUT_MS).then(() => undefined),
    ]);
    replica.use(isCaughtUp ?? false);
    if (isCaughtUp !== undefined) return;
    // Closing fails what waits for an answer that may never come, and with it goes on to the
    // primary.
    Object.assign(replica, openPools(primary, replica.url, options));
    await Promise.all([pool.close(0), probing.close(0)]);
  };
  const askAll = () => Promise.all(replicas.map(ask));

  await askPrimary();
  await askAll();
  const timer = setInterval(() => void Promise.all([askPrimary(), askAll()]), PROBE_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** A position that no replica reaches. */
const BEYOND_ALL = "FFFFFFFF/FFFFFFFF";
