import { randomUUID } from "node:crypto";
import type { Db } from "#db/client.ts";
import type { Log } from "../log/log.ts";
import { LEASE_EXPIRED_MS, openLease } from "./lease.ts";
import { type LiveProcess, listLiveProcesses } from "./live-processes.queries.ts";

/**
 * What processes must drop from their caches: a login, an account (its logins, its role), the
 * exercises of an account, or everything derived from the catalog.
 */
export type Invalidation =
  | { loginId: string }
  | { userId: string }
  | { exercisesOf: string }
  | { catalog: true };

/** An invalidation as it is sent. If it was not sent, `publish` waits for no confirmation. */
export type InvalidationMessage = { text: string; isSent: boolean };

export type InvalidationsStats = {
  /** How often invalidations stopped arriving; until they arrive again it is one loss. */
  losses: number;
  /** Changes that waited for all leases to expire, because a process had not confirmed. */
  leaseWaits: number;
};

export type Invalidations = {
  /**
   * Runs `commit`, and returns its result once no process serves what it cached before. `commit`
   * must pass the message to `sendInvalidation` in the transaction that makes the change, unless
   * there turns out to be nothing to change.
   */
  publish<T>(
    invalidation: Invalidation,
    commit: (message: InvalidationMessage) => Promise<T>,
  ): Promise<T>;
  /** Whether every invalidation so far is known to have arrived in this process. */
  isFresh(): boolean;
  readonly stats: InvalidationsStats;
  close(): Promise<void>;
};

/** Sends an invalidation to every process when the transaction commits. */
export async function sendInvalidation({ sql }: Db, message: InvalidationMessage): Promise<void> {
  await sql`select ${invalidationSql(sql, message)}`;
}

/** `sendInvalidation` as an expression, for a statement that does other work too. */
export function invalidationSql(sql: Db["sql"], message: InvalidationMessage) {
  message.isSent = true;
  return sql`pg_notify(${CHANNEL}, ${message.text})`;
}

const CHANNEL = "irontrack_notices";
/** The channel of confirmations: `<id of an invalidation> <id of a process>`. */
const CONFIRMATIONS = "irontrack_confirmations";

type Invalidate = (invalidation: Invalidation | "everything") => void;

/** For a process that is known to be the only one on its database, such as a test. */
export function localInvalidations(invalidate: Invalidate): Invalidations {
  return {
    publish: async (invalidation, commit) => {
      const result = await commit({ text: JSON.stringify(invalidation), isSent: false });
      invalidate(invalidation);
      return result;
    },
    isFresh: () => true,
    stats: { losses: 0, leaseWaits: 0 },
    close: async () => {},
  };
}

/** The ids of processes that confirmed an invalidation; `wake` is called for each confirmation. */
type PendingInvalidation = { confirmedBy: Set<string>; wake: () => void };

export type InvalidationsOptions = {
  /** False for a process without caches, such as a command: no other process waits for it. */
  hasCaches?: boolean;
  log?: Pick<Log, "info" | "warn">;
};

/** A starting process waits this long for its lease; until it has one, its caches are off. */
const START_WAIT_MS = 1000;
/** How often an unconfirmed invalidation is sent again: a listener may have started too late. */
const RESEND_MS = 100;

/**
 * Exchanges invalidations with the other processes on the database (ADR 0004). Calls `invalidate`
 * for each that arrives, and with "everything" when some may have been missed. `publish` returns
 * when every process that may hold a lease has confirmed, or when all leases from before the change
 * have expired. `direct` must not connect through a pooler. Resolves when this process holds its
 * lease (without caches: when it listens), and after START_WAIT_MS at the latest.
 */
export async function openInvalidations(
  direct: Db,
  invalidate: Invalidate,
  { hasCaches = true, log }: InvalidationsOptions = {},
): Promise<Invalidations> {
  const pendingById = new Map<string, PendingInvalidation>();
  const started = Promise.withResolvers<void>();
  const stats = { losses: 0, leaseWaits: 0 };
  const outages = createOutageLog(log, stats);
  const processId = randomUUID();

  const onInvalidation = (text: string) => {
    const { id, from, ...invalidation } = JSON.parse(text) as Invalidation & {
      id: string;
      from: string;
    };
    invalidate(invalidation as Invalidation);
    const ownId = lease.id();
    if (from === processId || ownId === undefined || !hasCaches) return;
    direct.sql`select pg_notify(${CONFIRMATIONS}, ${`${id} ${ownId}`})`.catch(() => {});
  };
  const onConfirmation = (text: string) => {
    const [id, confirmerId] = text.split(" ") as [string, string];
    const pending = pendingById.get(id);
    pending?.confirmedBy.add(confirmerId);
    pending?.wake();
  };
  const lease = openLease(direct, {
    hasCaches,
    channels: [CHANNEL, CONFIRMATIONS],
    onMessage: (channel, text) =>
      channel === CHANNEL ? onInvalidation(text) : onConfirmation(text),
    onListening: () => {
      invalidate("everything");
      if (!hasCaches) started.resolve();
    },
    onHeld: () => {
      outages.onHeld();
      started.resolve();
    },
    onLost: outages.onLost,
  });
  await Promise.race([started.promise, Bun.sleep(START_WAIT_MS)]);

  /** The processes of `listed` that may hold a lease; undefined if the list may be incomplete. */
  const holdersOf = (listed: LiveProcess[]) =>
    listed.some(({ isSettled }) => isSettled)
      ? new Set(listed.map(({ id }) => id).filter((id) => !lease.isOwn(id)))
      : undefined;

  /** Resolves when no other process can serve what it cached before a committed invalidation. */
  const settle = async (text: string, pending: PendingInvalidation) => {
    const expiredAtMs = performance.now() + LEASE_EXPIRED_MS;
    const leftMs = () => Math.max(expiredAtMs - performance.now(), 0);
    let required: string[] | undefined;
    while (leftMs() > 0) {
      const woken = new Promise<void>((resolve) => (pending.wake = resolve));
      const listed = await Promise.race([
        listLiveProcesses(direct).catch(() => []),
        Bun.sleep(leftMs()),
      ]);
      const holders = holdersOf(listed ?? []);
      // The first complete list is enough: the lease of a process that appears later began after
      // the invalidation.
      if (holders) required = required?.filter((id) => holders.has(id)) ?? [...holders];
      if (required?.every((id) => pending.confirmedBy.has(id))) return outages.onConfirmed();
      const isWoken = await Promise.race([
        woken.then(() => true),
        Bun.sleep(Math.min(RESEND_MS, leftMs())),
      ]);
      if (!isWoken) direct.sql`select pg_notify(${CHANNEL}, ${text})`.catch(() => {});
    }
    stats.leaseWaits++;
    if (required) outages.onUnconfirmed();
  };

  return {
    publish: async (invalidation, commit) => {
      const id = randomUUID();
      const message = {
        text: JSON.stringify({ ...invalidation, id, from: processId }),
        isSent: false,
      };
      const pending: PendingInvalidation = { confirmedBy: new Set(), wake: () => {} };
      pendingById.set(id, pending);
      try {
        const result = await commit(message);
        if (message.isSent) {
          invalidate(invalidation);
          await settle(message.text, pending);
        }
        return result;
      } finally {
        pendingById.delete(id);
      }
    },
    isFresh: lease.isHeld,
    stats,
    close: lease.close,
  };
}

/** Logs once when invalidations or confirmations stop arriving, and once when they arrive again. */
function createOutageLog(log: InvalidationsOptions["log"], stats: InvalidationsStats) {
  let isLost = false;
  let isUnconfirmed = false;
  return {
    onLost: (error: Error) => {
      if (isLost) return;
      isLost = true;
      stats.losses++;
      log?.warn(
        { err: error },
        "invalidations may be missed: the caches are not used until they arrive again",
      );
    },
    onHeld: () => {
      if (isLost) log?.info("invalidations arrive again");
      isLost = false;
    },
    onUnconfirmed: () => {
      if (!isUnconfirmed)
        log?.warn("a process does not confirm invalidations: changes wait until its lease expires");
      isUnconfirmed = true;
    },
    onConfirmed: () => {
      if (isUnconfirmed) log?.info("all processes confirm invalidations again");
      isUnconfirmed = false;
    },
  };
}
