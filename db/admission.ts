import { postgresError } from "#lib/causes.ts";
import {
  type AdmissionStats,
  createConnectionQueue,
  type QueueLimits,
  type RequestContext,
} from "./connection-queue.ts";
import { isRetryable } from "./errors.ts";
import { createHistogram, observe } from "./histogram.ts";
import { interceptSend, type Query } from "./intercept.ts";
import { retryTransaction } from "./retry.ts";
import { createWatchdog, type WatchdogLimits } from "./watchdog.ts";

export type AdmissionOptions = QueueLimits & {
  /**
   * The request that the running code works for. Undefined for the process's own work, which is
   * neither abandoned nor refused.
   */
  context(): RequestContext | undefined;
  /** If undefined, statements may take as long as they like. */
  watchdog?: WatchdogLimits | undefined;
  /**
   * How often a transaction, or a statement outside of one, is retried after a deadlock or a
   * serialization failure (ADR 0031). The work of a transaction must therefore keep its state
   * inside of it.
   */
  maxRetries: number;
  /** Called for each statement that took longer than `slowMs`: its text, never its values. */
  slowMs: number;
  onSlow(statement: string, durationMs: number, requestId: string | undefined): void;
};

export type Admission = {
  stats: AdmissionStats;
  /** Sends the statement once a connection is available. */
  statement<Q>(query: Q): Q;
  /**
   * Sends a statement of a transaction, which has its connection already. It is refused only if
   * its client has disconnected.
   */
  inTransaction<Q>(query: Q): Q;
  /**
   * Runs a transaction once a connection is available. `begin` must call `check` before the
   * commit: it throws if the client has disconnected.
   */
  transaction<T>(begin: (check: () => void) => Promise<T>): Promise<T>;
};

/**
 * Admission control for a pool of `size` connections. Statements beyond it wait in order, in a
 * short queue and for a limited time, and are then refused (`refusalOf` recognises the error). Work
 * whose client has disconnected is not started. postgres.js alone lets any number of statements
 * wait forever. `dropConnections` is called when the database stops answering.
 */
export function createAdmission(
  size: number,
  options: AdmissionOptions,
  dropConnections: () => void,
): Admission {
  const stats: AdmissionStats = {
    size,
    inUse: 0,
    waiting: 0,
    requests: 0,
    shed: { too_many_requests: 0, queue_full: 0, waited_too_long: 0 },
    abandoned: 0,
    retries: 0,
    wait: createHistogram(),
    statement: createHistogram(),
  };
  const { admit, acquire, release } = createConnectionQueue(size, options, stats);
  const watchdog = createWatchdog(options.watchdog, dropConnections);

  /**
   * Measures `query` and calls `onEnd` when it has ended. With `resend`, which is for statements
   * outside of a transaction, it is retried.
   */
  const track = (
    query: Query,
    context: RequestContext | undefined,
    onEnd: () => void,
    resend?: (query: Query) => void,
  ) => {
    const { resolve, reject } = query;
    let retries = 0;
    const startedMs = performance.now();
    const unwatch = watchdog.watch(startedMs, context && (() => query.state?.drop()));
    const end = (isAnswered: boolean) => {
      const endedMs = performance.now();
      unwatch(endedMs, isAnswered);
      const durationMs = endedMs - startedMs;
      observe(stats.statement, durationMs / 1000);
      if (context) context.databaseMs += durationMs;
      if (durationMs > options.slowMs)
        options.onSlow(query.statement?.string ?? "", durationMs, context?.requestId);
      onEnd();
    };
    query.resolve = (result) => {
      end(true);
      resolve(result);
    };
    query.reject = (error) => {
      let failure: unknown = error;
      if (resend && retries++ < options.maxRetries && isRetryable(error)) {
        failure = admit(context);
        if (!failure) {
          stats.retries++;
          // The driver must finish with the failed one first.
          return queueMicrotask(() => resend(query));
        }
      }
      end(postgresError(error) !== undefined);
      reject(failure);
    };
  };

  return {
    stats,
    statement: (query) =>
      interceptSend(query, (statement, send) => {
        const context = options.context();
        const start = () => {
          track(statement, context, once(release), send);
          send(statement);
        };
        acquire(context, start, (error) => statement.reject(error));
      }),
    inTransaction: (query) =>
      interceptSend(query, (statement, send) => {
        const context = options.context();
        const error = admit(context);
        if (error) return statement.reject(error);
        track(statement, context, () => {});
        send(statement);
      }),
    transaction: async (begin) => {
      const context = options.context();
      await new Promise<void>((start, refuse) => acquire(context, start, refuse));
      const check = () => {
        const error = admit(context);
        if (error) throw error;
      };
      // The driver sends begin and commit itself, without interception.
      const unwatch = watchdog.watch(performance.now());
      let isAnswered = false;
      try {
        const run = () => begin(check);
        const result = await retryTransaction(options.maxRetries, run, () => {
          check();
          stats.retries++;
        });
        isAnswered = true;
        return result;
      } finally {
        unwatch(performance.now(), isAnswered);
        release();
      }
    },
  };
}

function once(run: () => void) {
  let ran = false;
  return () => {
    if (ran) return;
    ran = true;
    run();
  };
}
