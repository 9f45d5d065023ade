import { postgresError } from "#lib/causes.ts";
import { isRetryable, refusal } from "./errors.ts";
import { createHistogram, type Histogram, observe } from "./histogram.ts";
import { handled, type Query } from "./intercept.ts";
import { retryTransaction } from "./retry.ts";
import { createSilence, type SilenceLimits } from "./silence.ts";

/** Who a statement is for: one request. The gate keeps its account of it here. */
export type RequestContext = {
  requestId: string;
  /** Its signal says whether anybody still waits for the answer. */
  request: { signal: AbortSignal };
  /**
   * How many reasons there are to finish its work after its client has gone: others join it, or it
   * is detached.
   */
  joiners: number;
  poolMs: number;
  databaseMs: number;
  /** Gives back the place among the requests that use the database; there once it has one. */
  leave: (() => void) | undefined;
};

export type AdmissionOptions = {
  /**
   * For whom the running code works; undefined for the process's own work, which is neither given
   * up nor refused.
   */
  context(): RequestContext | undefined;
  /** Requests that may use the database at once. */
  maxRequests: number;
  /** Statements and transactions that may wait for a connection. */
  maxQueued: number;
  maxWaitMs: number;
  /** Absent: answers are waited for however long they take. */
  silence?: SilenceLimits | undefined;
  /**
   * How often a transaction, or a statement outside of one, is run again when PostgreSQL undid it
   * for the sake of others (ADR 0031). What a transaction's work keeps must therefore begin in it.
   */
  maxRetries: number;
  /** Told of each statement that took longer than `slowMs`: its text, never its values. */
  slowMs: number;
  onSlow(statement: string, durationMs: number, requestId: string | undefined): void;
};

/** What a gate has seen so far. */
export type AdmissionStats = {
  size: number;
  inUse: number;
  waiting: number;
  requests: number;
  /** Refusals by their reason. */
  shed: { too_many_requests: number; queue_full: number; waited_too_long: number };
  /** Statements and transactions that were not started because nobody waited for them. */
  abandoned: number;
  /** Transactions and statements that were run again. */
  retries: number;
  wait: Histogram;
  statement: Histogram;
};

export type Admission = {
  stats: AdmissionStats;
  /** Lets the statement through when there is a connection for it. */
  statement<Q>(query: Q): Q;
  /**
   * As `statement`, in a transaction, which has its connection: refused only when nobody waits for
   * it any more.
   */
  inTransaction<Q>(query: Q): Q;
  /**
   * Runs a whole transaction when there is a connection for it. `work` ends by `check`, so that it
   * commits for somebody.
   */
  transaction<T>(begin: (check: () => void) => Promise<T>): Promise<T>;
};

type Waiting = {
  start: () => void;
  context: RequestContext | undefined;
  refuse: (error: Error) => void;
};
/**
 * Stands in front of a pool of `size` connections: statements beyond it wait in order, few and
 * briefly, then are refused (`refusalOf` knows them), and what nobody waits for is not started.
 * postgres.js alone lets any number wait for ever. `dropConnections` is called when the database is
 * silent.
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
  const queue = new Set<Waiting>();
  const silence = createSilence(options.silence, dropConnections);

  const shed = (reason: keyof AdmissionStats["shed"]) => {
    stats.shed[reason]++;
    return refusal("OVERLOADED");
  };
  /** The error for an asker who is gone or one too many; takes the asker's place otherwise. */
  const refuses = (context: RequestContext | undefined): Error | undefined => {
    if (!context) return undefined;
    if (context.joiners === 0 && context.request.signal.aborted) {
      stats.abandoned++;
      return refusal("CLIENT_GONE");
    }
    if (context.leave) return undefined;
    if (stats.requests >= options.maxRequests) return shed("too_many_requests");
    stats.requests++;
    context.leave = () => void stats.requests--;
    return undefined;
  };

  const acquire = (
    context: RequestContext | undefined,
    start: () => void,
    refuse: (error: Error) => void,
  ) => {
    const refused = refuses(context);
    if (refused) return refuse(refused);
    if (stats.inUse < size) {
      stats.inUse++;
      observe(stats.wait, 0);
      return start();
    }
    if (context && queue.size >= options.maxQueued) return refuse(shed("queue_full"));
    const askedMs = performance.now();
    const leaveQueue = () => {
      clearTimeout(timer);
      queue.delete(entry);
      stats.waiting = queue.size;
      const waitedMs = performance.now() - askedMs;
      observe(stats.wait, waitedMs / 1000);
      if (context) context.poolMs += waitedMs;
    };
    const entry: Waiting = {
      context,
      start: () => {
        leaveQueue();
        start();
      },
      refuse: (error) => {
        leaveQueue();
        refuse(error);
      },
    };
    const timer =
      context && setTimeout(() => entry.refuse(shed("waited_too_long")), options.maxWaitMs);
    queue.add(entry);
    stats.waiting = queue.size;
  };
  const release = () => {
    for (const next of queue) {
      const refused = refuses(next.context);
      if (!refused) return next.start();
      next.refuse(refused);
    }
    stats.inUse--;
  };

  const isRerun = (error: unknown, count: number) =>
    count < options.maxRetries && isRetryable(error);

  /**
   * Has `query` accounted for when it ends, and then calls `ended`; what is a transaction by itself
   * is sent `again`.
   */
  const timed = (
    query: Query,
    context: RequestContext | undefined,
    ended: () => void,
    again?: (query: Query) => void,
  ) => {
    const { resolve, reject } = query;
    let retries = 0;
    const startedMs = performance.now();
    const leaveSilence = silence.begin(startedMs, context && (() => query.state?.drop()));
    const end = (isAnswered: boolean) => {
      const endedMs = performance.now();
      leaveSilence(endedMs, isAnswered);
      const durationMs = endedMs - startedMs;
      observe(stats.statement, durationMs / 1000);
      if (context) context.databaseMs += durationMs;
      if (durationMs > options.slowMs)
        options.onSlow(query.statement?.string ?? "", durationMs, context?.requestId);
      ended();
    };
    query.resolve = (result) => {
      end(true);
      resolve(result);
    };
    query.reject = (error) => {
      let failure: unknown = error;
      if (again && isRerun(error, retries++)) {
        failure = refuses(context);
        if (!failure) {
          stats.retries++;
          // Not before the driver is done with the failed one.
          return queueMicrotask(() => again(query));
        }
      }
      end(postgresError(error) !== undefined);
      reject(failure);
    };
  };

  return {
    stats,
    statement: (query) =>
      handled(query, (statement, send) => {
        const context = options.context();
        const start = () => {
          timed(statement, context, once(release), send);
          send(statement);
        };
        acquire(context, start, (error) => statement.reject(error));
      }),
    inTransaction: (query) =>
      handled(query, (statement, send) => {
        const context = options.context();
        const refused = refuses(context);
        if (refused) return statement.reject(refused);
        timed(statement, context, () => {});
        send(statement);
      }),
    transaction: async (begin) => {
      const context = options.context();
      await new Promise<void>((start, refuse) => acquire(context, start, refuse));
      const check = () => {
        const refused = refuses(context);
        if (refused) throw refused;
      };
      // Its begin and commit are the driver's, and pass no gate.
      const leaveSilence = silence.begin(performance.now());
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
        leaveSilence(performance.now(), isAnswered);
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
