import type { AdmissionOptions, AdmissionStats, RequestContext } from "./admission.ts";
import { refusal } from "./errors.ts";
import { observe } from "./histogram.ts";

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
  { maxRequests, maxQueued, maxWaitMs }: AdmissionOptions,
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
