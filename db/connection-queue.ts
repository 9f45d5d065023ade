import { refusal } from "./errors.ts";
import { type Histogram, observe } from "./histogram.ts";

/** The request that a statement is sent for, and what admission control records about it. */
export type RequestContext = {
  requestId: string;
  /** Its signal is aborted when the client disconnects. */
  request: { signal: AbortSignal };
  /**
   * The number of reasons to finish the work after the client has disconnected: other requests
   * joined it, or it is detached.
   */
  joiners: number;
  poolMs: number;
  databaseMs: number;
  /** Stops counting the request as one that uses the database; undefined until it does. */
  release: (() => void) | undefined;
};

export type QueueLimits = {
  /** Requests that may use the database at the same time. */
  maxRequests: number;
  /** Statements and transactions that may wait for a connection. */
  maxQueued: number;
  maxWaitMs: number;
};

export type AdmissionStats = {
  size: number;
  inUse: number;
  waiting: number;
  requests: number;
  /** Refusals by reason. */
  shed: { too_many_requests: number; queue_full: number; waited_too_long: number };
  /** Statements and transactions that were not started because their client had disconnected. */
  abandoned: number;
  /** Retries of transactions and statements. */
  retries: number;
  wait: Histogram;
  statement: Histogram;
};

export type ConnectionQueue = {
  /**
   * Counts the request as one that uses the database. Returns an error instead if its client has
   * disconnected, or if too many requests use the database.
   */
  admit(context: RequestContext | undefined): Error | undefined;
  /** Calls `start` once a connection is available, or `refuse`. */
  acquire(
    context: RequestContext | undefined,
    start: () => void,
    refuse: (error: Error) => void,
  ): void;
  /** Gives the connection to the next in the queue. */
  release(): void;
};

type Entry = {
  context: RequestContext | undefined;
  start: () => void;
  refuse: (error: Error) => void;
};

/** A first-in, first-out queue for the `size` connections of a pool; keeps `stats` up to date. */
export function createConnectionQueue(
  size: number,
  { maxRequests, maxQueued, maxWaitMs }: QueueLimits,
  stats: AdmissionStats,
): ConnectionQueue {
  const queue = new Set<Entry>();

  const shed = (reason: keyof AdmissionStats["shed"]) => {
    stats.shed[reason]++;
    return refusal("OVERLOADED");
  };

  const admit = (context: RequestContext | undefined): Error | undefined => {
    if (!context) return undefined;
    if (context.joiners === 0 && context.request.signal.aborted) {
      stats.abandoned++;
      return refusal("CLIENT_GONE");
    }
    if (context.release) return undefined;
    if (stats.requests >= maxRequests) return shed("too_many_requests");
    stats.requests++;
    context.release = () => void stats.requests--;
    return undefined;
  };

  return {
    admit,
    acquire: (context, start, refuse) => {
      const error = admit(context);
      if (error) return refuse(error);
      if (stats.inUse < size) {
        stats.inUse++;
        observe(stats.wait, 0);
        return start();
      }
      if (context && queue.size >= maxQueued) return refuse(shed("queue_full"));
      const queuedMs = performance.now();
      const dequeue = () => {
        clearTimeout(timer);
        queue.delete(entry);
        stats.waiting = queue.size;
        const waitedMs = performance.now() - queuedMs;
        observe(stats.wait, waitedMs / 1000);
        if (context) context.poolMs += waitedMs;
      };
      const entry: Entry = {
        context,
        start: () => {
          dequeue();
          start();
        },
        refuse: (reason) => {
          dequeue();
          refuse(reason);
        },
      };
      const timer = context && setTimeout(() => entry.refuse(shed("waited_too_long")), maxWaitMs);
      queue.add(entry);
      stats.waiting = queue.size;
    },
    release: () => {
      for (const next of queue) {
        const error = admit(next.context);
        if (!error) return next.start();
        next.refuse(error);
      }
      stats.inUse--;
    },
  };
}
