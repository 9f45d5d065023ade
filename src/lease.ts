import { randomUUID } from "node:crypto";
import type { Db } from "#db/client.ts";
import { openListener } from "#db/listener.ts";
import { deleteDeadProcess, deleteOwnProcess, type LiveProcess, sendHeartbeat } from "./live-processes.queries.ts";

/** A process may serve from its caches for this long after it sent the last heartbeat that came back to it. */
const LEASE_MS = 1000;
const HEARTBEAT_MS = 300;
/** After this long a lease is over by another process's clock too, even if one of the two clocks is slow. */
export const LEASE_OVER_MS = 1200;
/** A listener whose heartbeat has not come back for this long is replaced. */
const SILENT_MS = 3000;

export type Lease = {
  /** The id under which this process is listed, while it listens. */
  id(): string | undefined;
  /** Whether the row `id` is one of this process. */
  isOwn(id: string): boolean;
  isHeld(): boolean;
  close(): Promise<void>;
};

export type LeaseOptions = {
  /** False for a process without caches: it only listens, and is not listed. */
  hasCaches: boolean;
  channels: string[];
  onMessage(channel: string, payload: string): void;
  /** A new connection listens: what was sent before it may have been missed. */
  onListening(): void;
  onHeld(): void;
  onLost(error: Error): void;
};

/** One connection that listens. Its id is never used again, so nothing that is late can speak for another connection. */
type Listening = {
  id: string;
  /** The heartbeat that is on its way. */
  sent: { payload: string; atMs: number } | undefined;
  /** The statement that sends it is running. */
  isSending: boolean;
  /** Since when this process knows its row to be there without a break. */
  listedSinceMs: number | undefined;
};

/** Listens on `channels`, and holds a lease while messages are known to arrive. ADR 0004 has the argument, step by step. */
export function openLease(direct: Db, options: LeaseOptions): Lease {
  const channel = `irontrack_heartbeat_${randomUUID()}`;
  /** Ids of connections that were lost, whose rows may still be there. */
  const formerIds = new Set<string>();
  let listening: Listening | undefined;
  let heldUntilMs = 0;
  /** The last heartbeat; it never rejects. */
  let lastBeat = Promise.resolve();

  const leave = () => {
    if (listening) formerIds.add(listening.id);
    listening = undefined;
    heldUntilMs = 0;
  };
  const listener = openListener(direct, {
    channels: [...options.channels, channel],
    onListening: () => {
      leave();
      listening = { id: randomUUID(), sent: undefined, isSending: false, listedSinceMs: undefined };
      options.onListening();
      if (options.hasCaches) startBeat();
    },
    onLost: (error) => {
      leave();
      options.onLost(error);
    },
    onMessage: (from, payload) => {
      if (from !== channel) return options.onMessage(from, payload);
      if (listening?.sent?.payload !== payload) return;
      heldUntilMs = listening.sent.atMs + LEASE_MS;
      listening.sent = undefined;
      if (performance.now() < heldUntilMs) options.onHeld();
    },
  });

  const beat = async () => {
    const own = listening;
    if (!own) return;
    const nowMs = performance.now();
    if (own.sent && nowMs - own.sent.atMs > SILENT_MS) return listener.replace(new Error("The connection was silent"));
    if (own.sent || own.isSending) return;
    const payload = randomUUID();
    own.sent = { payload, atMs: nowMs };
    own.isSending = true;
    const former = [...formerIds];
    const isSettled = own.listedSinceMs !== undefined && nowMs - own.listedSinceMs > LEASE_OVER_MS;
    try {
      const { isNew, others } = await sendHeartbeat(direct, {
        id: own.id,
        formerIds: former,
        isSettled,
        channel,
        payload,
      });
      for (const id of former) formerIds.delete(id);
      if (isNew || own.listedSinceMs === undefined) own.listedSinceMs = performance.now();
      own.isSending = false;
      watch(others);
    } catch (error) {
      // Whether the row was written is not known, so its id is given up.
      if (own === listening) listener.replace(error as Error);
    }
  };

  const watched = new Map<string, { version: string; sinceMs: number }>();
  /** Deletes the rows of processes that have sent no heartbeat for longer than any lease. */
  const watch = (others: LiveProcess[]) => {
    const nowMs = performance.now();
    const listed = new Set(others.map(({ id }) => id));
    for (const id of watched.keys()) if (!listed.has(id)) watched.delete(id);
    for (const other of others) {
      const known = watched.get(other.id);
      if (known?.version !== other.version) watched.set(other.id, { version: other.version, sinceMs: nowMs });
      else if (nowMs - known.sinceMs > LEASE_OVER_MS) deleteDeadProcess(direct, other).catch(() => {});
    }
  };
  const startBeat = () => {
    lastBeat = Promise.all([lastBeat, beat()]).then(() => {});
  };
  const timer = options.hasCaches ? setInterval(startBeat, HEARTBEAT_MS) : undefined;

  return {
    id: () => listening?.id,
    isOwn: (id) => id === listening?.id || formerIds.has(id),
    isHeld: () => performance.now() < heldUntilMs,
    close: async () => {
      clearInterval(timer);
      leave();
      await listener.close();
      if (!options.hasCaches) return;
      // A heartbeat that is under way would write the row again.
      const gone = lastBeat.then(() => deleteOwnProcess(direct, [...formerIds])).catch(() => {});
      await Promise.race([gone, Bun.sleep(LEASE_MS)]);
    },
  };
}
