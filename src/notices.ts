import { randomUUID } from "node:crypto";
import type { Db } from "#db/client.ts";
import { LEASE_OVER_MS, openLease } from "./lease.ts";
import { type LiveProcess, listLiveProcesses } from "./live-processes.queries.ts";
import type { Log } from "./log.ts";

/**
 * What processes must forget: a login, an account (its logins, its role), the exercises of an account, or all that was
 * made of the catalog.
 */
export type Notice = { loginId: string } | { userId: string } | { exercisesOf: string } | { catalog: true };

/** A notice on its way; nobody waits for one that was not sent. */
export type Announcement = { text: string; isSent: boolean };

export type NoticesStats = {
  /** How often invalidations ceased to arrive, from one time that they did to the next. */
  losses: number;
  /** Changes that were answered when leases were over, and not when every process had confirmed. */
  leaseWaits: number;
};

export type Notices = {
  /**
   * Runs `commit`, which must hand what it is given to `sendNotice` in the transaction that makes a change (and need not
   * when it finds that there is nothing to change), and returns its result once no process trusts what it remembered
   * before.
   */
  announce<T>(notice: Notice, commit: (announcement: Announcement) => Promise<T>): Promise<T>;
  /** True while every notice so far is known to have arrived here. */
  isTrusted(): boolean;
  readonly stats: NoticesStats;
  close(): Promise<void>;
};

/** Tells every process what to forget, when the transaction commits. */
export async function sendNotice({ sql }: Db, announcement: Announcement): Promise<void> {
  await sql`select ${noticeOf(sql, announcement)}`;
}

/** `sendNotice` as an expression, for a statement that has other work to do. */
export function noticeOf(sql: Db["sql"], announcement: Announcement) {
  announcement.isSent = true;
  return sql`pg_notify(${CHANNEL}, ${announcement.text})`;
}

const CHANNEL = "irontrack_notices";
/** Where `<id of an invalidation> <id of a process>` is sent. */
const CONFIRMATIONS = "irontrack_confirmations";

type Forget = (notice: Notice | "everything") => void;

/** For a process that knows itself to be the only one on its database: a test, on its own transaction. */
export function aloneOnDatabase(forget: Forget): Notices {
  return {
    announce: async (notice, commit) => {
      const result = await commit({ text: JSON.stringify(notice), isSent: false });
      forget(notice);
      return result;
    },
    isTrusted: () => true,
    stats: { losses: 0, leaseWaits: 0 },
    close: async () => {},
  };
}

type Waiting = {
  confirmed: Set<string>;
  wake: () => void;
};

export type NoticesOptions = {
  /** False for a process that caches nothing, such as a command: then no other process waits for it. */
  hasCaches?: boolean;
  log?: Pick<Log, "info" | "warn">;
};

/** How long a starting process waits until invalidations reach it; it starts without its caches when they do not. */
const START_WAIT_MS = 1000;
/** How often processes that have not confirmed are asked again: they or we may have listened too late. */
const ASK_AGAIN_MS = 100;

/**
 * Invalidations among processes (ADR 0004). `forget` is called for each, and with "everything" when some may have been
 * missed. A change is answered when every process that may hold a lease has confirmed it, at the latest when each lease
 * that it overtook is over. `direct` must not lead through a pooler.
 */
export async function listenForNotices(
  direct: Db,
  forget: Forget,
  { hasCaches = true, log }: NoticesOptions = {},
): Promise<Notices> {
  const waiting = new Map<string, Waiting>();
  const started = Promise.withResolvers<void>();
  const stats = { losses: 0, leaseWaits: 0 };
  const disturbances = createDisturbances(log, stats);
  const processId = randomUUID();

  const onNotice = (text: string) => {
    const { id, from, ...notice } = JSON.parse(text) as Notice & { id: string; from: string };
    forget(notice as Notice);
    const by = lease.id();
    if (from === processId || by === undefined || !hasCaches) return;
    direct.sql`select pg_notify(${CONFIRMATIONS}, ${`${id} ${by}`})`.catch(() => {});
  };
  const onConfirmation = (text: string) => {
    const [id, by] = text.split(" ") as [string, string];
    const invalidation = waiting.get(id);
    invalidation?.confirmed.add(by);
    invalidation?.wake();
  };
  const lease = openLease(direct, {
    hasCaches,
    channels: [CHANNEL, CONFIRMATIONS],
    onMessage: (channel, text) => (channel === CHANNEL ? onNotice(text) : onConfirmation(text)),
    onListening: () => {
      forget("everything");
      if (!hasCaches) started.resolve();
    },
    onHeld: () => {
      disturbances.onHeld();
      started.resolve();
    },
    onLost: disturbances.onLost,
  });
  await Promise.race([started.promise, Bun.sleep(START_WAIT_MS)]);

  /** The processes of `listed` that may hold a lease; undefined where the list may lack one. */
  const holdersOf = (listed: LiveProcess[]) =>
    listed.some(({ isSettled }) => isSettled)
      ? new Set(listed.map(({ id }) => id).filter((id) => !lease.isOwn(id)))
      : undefined;

  /** Resolves when no other process can serve what it cached before an invalidation that has been committed. */
  const settle = async (text: string, invalidation: Waiting) => {
    const overMs = performance.now() + LEASE_OVER_MS;
    const leftMs = () => Math.max(overMs - performance.now(), 0);
    let required: string[] | undefined;
    while (leftMs() > 0) {
      const woken = new Promise<void>((resolve) => (invalidation.wake = resolve));
      const listed = await Promise.race([listLiveProcesses(direct).catch(() => []), Bun.sleep(leftMs())]);
      const holders = holdersOf(listed ?? []);
      // A process that is listed later holds a lease that began after the invalidation.
      if (holders) required = required?.filter((id) => holders.has(id)) ?? [...holders];
      if (required?.every((id) => invalidation.confirmed.has(id))) return disturbances.onConfirmed();
      const isWoken = await Promise.race([woken.then(() => true), Bun.sleep(Math.min(ASK_AGAIN_MS, leftMs()))]);
      if (!isWoken) direct.sql`select pg_notify(${CHANNEL}, ${text})`.catch(() => {});
    }
    stats.leaseWaits++;
    if (required) disturbances.onUnconfirmed();
  };

  return {
    announce: async (notice, commit) => {
      const id = randomUUID();
      const announcement = { text: JSON.stringify({ ...notice, id, from: processId }), isSent: false };
      const invalidation = {
        text: announcement.text,
        isCommitted: false,
        confirmed: new Set<string>(),
        wake: () => {},
      };
      waiting.set(id, invalidation);
      try {
        const result = await commit(announcement);
        if (announcement.isSent) {
          forget(notice);
          await settle(announcement.text, invalidation);
        }
        return result;
      } finally {
        waiting.delete(id);
      }
    },
    isTrusted: lease.isHeld,
    stats,
    close: lease.close,
  };
}

/** Logs the beginning and the end of each disturbance, once. */
function createDisturbances(log: NoticesOptions["log"], stats: NoticesStats) {
  let isLost = false;
  let isUnconfirmed = false;
  return {
    onLost: (error: Error) => {
      if (isLost) return;
      isLost = true;
      stats.losses++;
      log?.warn({ err: error }, "invalidations may be missed: the caches are not used until they arrive again");
    },
    onHeld: () => {
      if (isLost) log?.info("invalidations arrive again");
      isLost = false;
    },
    onUnconfirmed: () => {
      if (!isUnconfirmed) log?.warn("a process does not confirm invalidations: changes wait until its lease is over");
      isUnconfirmed = true;
    },
    onConfirmed: () => {
      if (isUnconfirmed) log?.info("all processes confirm invalidations again");
      isUnconfirmed = false;
    },
  };
}
