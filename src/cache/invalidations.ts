import { randomUUID } from "node:crypto";
import type { Db } from "#db/client.ts";
import type { Log } from "../log/log.ts";
import { LEASE_OVER_MS, openLease } from "./lease.ts";
import { type LiveProcess, listLiveProcesses } from "./live-processes.queries.ts";

/**
 * What processes must forget: a login, an account (its logins, its role), the exercises of an
 * account, or all that was made of the catalog.
 */
export type Invalidation =
  | { loginId: string }
  | { userId: string }
  | { exercisesOf: string }
  | { catalog: true };

/** A notice on its way; nobody waits for one that was not sent. */
export type InvalidationMessage = { text: string; isSent: boolean };

export type InvalidationsStats = {
  /** How often invalidations stopped arriving; until they arrive again it is one loss. */
  losses: number;
  /** Changes that waited until all leases were over, because a process had not confirmed. */
  leaseWaits: number;
};

export type Invalidations = {
  /**
   * Runs `commit`, which must hand what it is given to `sendNotice` in the transaction that makes a
   * change (and need not when it finds that there is nothing to change), and returns its result
   * once no process trusts what it remembered before.
   */
  publish<T>(
    invalidation: Invalidation,
    commit: (invalidationMessage: InvalidationMessage) => Promise<T>,
  ): Promise<T>;
  /** True while every notice so far is known to have arrived here. */
  isFresh(): boolean;
  readonly stats: InvalidationsStats;
  close(): Promise<void>;
};

/** Tells every process what to forget, when the transaction commits. */
export async function sendInvalidation(
  { sql }: Db,
  invalidationMessage: InvalidationMessage,
): Promise<void> {
  await sql`select ${invalidationSql(sql, invalidationMessage)}`;
}

/** `sendNotice` as an expression, for a statement that has other work to do. */
export function invalidationSql(sql: Db["sql"], invalidationMessage: InvalidationMessage) {
  invalidationMessage.isSent = true;
  return sql`pg_notify(${CHANNEL}, ${invalidationMessage.text})`;
}

const CHANNEL = "irontrack_notices";
/** The channel of confirmations: `<id of an invalidation> <id of a process>`. */
const CONFIRMATIONS = "irontrack_confirmations";

type Invalidate = (invalidation: Invalidation | "everything") => void;

/**
 * For a process that knows itself to be the only one on its database: a test, on its own
 * transaction.
 */
export function aloneOnDatabase(invalidate: Invalidate): Invalidations {
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

/**
 * An invalidation that waits for confirmations: the ids of processes that sent one, and a call for
 * each arrival.
 */
type PendingInvalidation = { confirmed: Set<string>; wake: () => void };

export type InvalidationsOptions = {
  /**
   * False for a process that caches nothing, such as a command: then no other process waits for it.
   */
  hasCaches?: boolean;
  log?: Pick<Log, "info" | "warn">;
};

/** How long a starting process waits for its lease; without one it starts without its caches. */
const START_WAIT_MS = 1000;
/**
 * How often an invalidation is sent again to processes that have not confirmed: a listener may have
 * started too late.
 */
const RESEND_MS = 100;

/**
 * Opens the invalidations among processes (ADR 0004). Calls `forget` for each, and with
 * "everything" when some may have been missed. `announce` returns when every process that may hold
 * a lease has confirmed, or when all leases from before the change are over. `direct` must not lead
 * through a pooler. Resolves when this process holds its lease (if it has no caches: when it
 * listens), and after START_WAIT_MS in any case.
 */
export async function openInvalidations(
  direct: Db,
  invalidate: Invalidate,
  { hasCaches = true, log }: InvalidationsOptions = {},
): Promise<Invalidations> {
  const pending = new Map<string, PendingInvalidation>();
  const started = Promise.withResolvers<void>();
  const stats = { losses: 0, leaseWaits: 0 };
  const disturbances = createDisturbances(log, stats);
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
    const pendingInvalidation = pending.get(id);
    pendingInvalidation?.confirmed.add(confirmerId);
    pendingInvalidation?.wake();
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
      disturbances.onHeld();
      started.resolve();
    },
    onLost: disturbances.onLost,
  });
  await Promise.race([started.promise, Bun.sleep(START_WAIT_MS)]);

  /** The processes of `listed` that may hold a lease; undefined if the list may be incomplete. */
  const holdersOf = (listed: LiveProcess[]) =>
    listed.some(({ isSettled }) => isSettled)
      ? new Set(listed.map(({ id }) => id).filter((id) => !lease.isOwn(id)))
      : undefined;

  /** Resolves when no other process can serve what it cached before a committed invalidation. */
  const settle = async (text: string, pendingInvalidation: PendingInvalidation) => {
    const overMs = performance.now() + LEASE_OVER_MS;
    const leftMs = () => Math.max(overMs - performance.now(), 0);
    let required: string[] | undefined;
    while (leftMs() > 0) {
      const woken = new Promise<void>((resolve) => (pendingInvalidation.wake = resolve));
      const listed = await Promise.race([
        listLiveProcesses(direct).catch(() => []),
        Bun.sleep(leftMs()),
      ]);
      const holders = holdersOf(listed ?? []);
      // The first complete list counts: a process that appears later has a lease that began after
      // the invalidation.
      if (holders) required = required?.filter((id) => holders.has(id)) ?? [...holders];
      if (required?.every((id) => pendingInvalidation.confirmed.has(id)))
        return disturbances.onConfirmed();
      const isWoken = await Promise.race([
        woken.then(() => true),
        Bun.sleep(Math.min(RESEND_MS, leftMs())),
      ]);
      if (!isWoken) direct.sql`select pg_notify(${CHANNEL}, ${text})`.catch(() => {});
    }
    stats.leaseWaits++;
    if (required) disturbances.onUnconfirmed();
  };

  return {
    publish: async (invalidation, commit) => {
      const id = randomUUID();
      const invalidationMessage = {
        text: JSON.stringify({ ...invalidation, id, from: processId }),
        isSent: false,
      };
      const pendingInvalidation: PendingInvalidation = { confirmed: new Set(), wake: () => {} };
      pending.set(id, pendingInvalidation);
      try {
        const result = await commit(invalidationMessage);
        if (invalidationMessage.isSent) {
          invalidate(invalidation);
          await settle(invalidationMessage.text, pendingInvalidation);
        }
        return result;
      } finally {
        pending.delete(id);
      }
    },
    isFresh: lease.isHeld,
    stats,
    close: lease.close,
  };
}

/** Logs once when invalidations or confirmations stop arriving, and once when they arrive again. */
function createDisturbances(log: InvalidationsOptions["log"], stats: InvalidationsStats) {
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
        log?.warn("a process does not confirm invalidations: changes wait until its lease is over");
      isUnconfirmed = true;
    },
    onConfirmed: () => {
      if (isUnconfirmed) log?.info("all processes confirm invalidations again");
      isUnconfirmed = false;
    },
  };
}
