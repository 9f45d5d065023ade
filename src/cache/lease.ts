import { randomUUID } from "node:crypto";
import type { Db } from "#db/client.ts";
import { openListener } from "#db/listener.ts";
import {
  deleteDeadProcess,
  deleteOwnProcess,
  type LiveProcess,
  sendHeartbeat,
} from "./live-processes.queries.ts";

/** A process may use its caches for this long after sending the last heartbeat that came back. */
const LEASE_MS = 1000;
const HEARTBEAT_MS = 300;
/** When other processes consider a lease expired: the margin allows for a slow clock. */
export const LEASE_EXPIRED_MS = 1200;
/** A connection on which no heartbeat came back for this long is replaced. */
const SILENT_MS = 3000;

export type Lease = {
  /** The id under which this process is listed, while it listens. */
  id(): string | undefined;
  /** Whether `id` is a present or former id of this process. */
  isOwn(id: string): boolean;
  isHeld(): boolean;
  close(): Promise<void>;
};

export type LeaseOptions = {
  /** False for a process without caches: it listens, sends no heartbeats and is not listed. */
  hasCaches: boolean;
  channels: string[];
  onMessage(channel: string, payload: string): void;
  /** A new connection listens; messages sent before may have been missed. */
  onListening(): void;
  onHeld(): void;
  onLost(error: Error): void;
};

/** A listening connection. Each has a new id, so that a late message of another is ignored. */
type Connection = {
  id: string;
  /** The heartbeat that was sent and has not come back yet. */
  sent: { payload: string; sentAtMs: number } | undefined;
  /** Whether the statement that sends it is still running. */
  isSending: boolean;
  /** Since when this process knows that its row has been in the table without a break. */
  listedSinceMs: number | undefined;
};

/** Listens on `channels`, and holds a lease while messages are known to arrive (ADR 0004). */
export function openLease(direct: Db, options: LeaseOptions): Lease {
  const channel = `irontrack_heartbeat_${randomUUID()}`;
  /** Ids of lost connections, whose rows may still be in the table. */
  const formerIds = new Set<string>();
  let connection: Connection | undefined;
  let heldUntilMs = 0;
  /** Resolves when all heartbeats so far have been sent; never rejects. */
  let lastBeat = Promise.resolve();

  const endLease = () => {
    if (connection) formerIds.add(connection.id);
    connection = undefined;
    heldUntilMs = 0;
  };
  const listener = openListener(direct, {
    channels: [...options.channels, channel],
    onListening: () => {
      endLease();
      connection = {
        id: randomUUID(),
        sent: undefined,
        isSending: false,
        listedSinceMs: undefined,
      };
      options.onListening();
      if (options.hasCaches) startBeat();
    },
    onLost: (error) => {
      endLease();
      options.onLost(error);
    },
    onMessage: (from, payload) => {
      if (from !== channel) return options.onMessage(from, payload);
      if (connection?.sent?.payload !== payload) return;
      heldUntilMs = connection.sent.sentAtMs + LEASE_MS;
      connection.sent = undefined;
      if (performance.now() < heldUntilMs) options.onHeld();
    },
  });

  const beat = async () => {
    const own = connection;
    if (!own) return;
    const nowMs = performance.now();
    if (own.sent && nowMs - own.sent.sentAtMs > SILENT_MS)
      return listener.replace(new Error("The connection was silent"));
    if (own.sent || own.isSending) return;
    const payload = randomUUID();
    own.sent = { payload, sentAtMs: nowMs };
    own.isSending = true;
    const former = [...formerIds];
    const isSettled =
      own.listedSinceMs !== undefined && nowMs - own.listedSinceMs > LEASE_EXPIRED_MS;
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
      deleteDead(others);
    } catch (error) {
      // The row may or may not have been written, so this id is not used again.
      if (own === connection) listener.replace(error as Error);
    }
  };

  /** The last version seen of each other process's row, and since when it has not changed. */
  const watched = new Map<string, { version: string; sinceMs: number }>();
  /** Deletes the rows of processes that have sent no heartbeat for longer than a lease lasts. */
  const deleteDead = (others: LiveProcess[]) => {
    const nowMs = performance.now();
    const listed = new Set(others.map(({ id }) => id));
    for (const id of watched.keys()) if (!listed.has(id)) watched.delete(id);
    for (const other of others) {
      const known = watched.get(other.id);
      if (known?.version !== other.version)
        watched.set(other.id, { version: other.version, sinceMs: nowMs });
      else if (nowMs - known.sinceMs > LEASE_EXPIRED_MS)
        deleteDeadProcess(direct, other).catch(() => {});
    }
  };
  const startBeat = () => {
    lastBeat = Promise.all([lastBeat, beat()]).then(() => {});
  };
  const timer = options.hasCaches ? setInterval(startBeat, HEARTBEAT_MS) : undefined;

  return {
    id: () => connection?.id,
    isOwn: (id) => id === connection?.id || formerIds.has(id),
    isHeld: () => performance.now() < heldUntilMs,
    close: async () => {
      clearInterval(timer);
      endLease();
      await listener.close();
      if (!options.hasCaches) return;
      // A heartbeat under way would insert the row again.
      const deleted = lastBeat.then(() => deleteOwnProcess(direct, [...formerIds])).catch(() => {});
      await Promise.race([deleted, Bun.sleep(LEASE_MS)]);
    },
  };
}
