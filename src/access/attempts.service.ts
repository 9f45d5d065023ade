import type { Db } from "#db/client.ts";
import { refusalOf } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { detached } from "../http/request-context.ts";
import {
  blockKeys,
  type CountedKey,
  countAttempt,
  deleteFutureAttempts,
  findBlocked,
  keysOf,
  type Limit,
  uncountAttempt,
} from "./attempts.queries.ts";

export type AttemptDeps = { db: Db; nowMs: () => number };

/** An attempt that is counted, and whose outcome is not known yet. */
export type Attempt = {
  /** Runs the check of the attempt. If the check throws, the attempt is uncounted. */
  check<T>(work: () => Promise<T>): Promise<T>;
  /** The attempt failed: it stays counted, and blocks the keys whose limit it reached. */
  fail(): Promise<void>;
  /** The attempt succeeded: uncounts it, and deletes counters for which `isCleared` holds. */
  succeed(isCleared: (key: string) => boolean): Promise<void>;
};

/**
 * Counts an attempt under all of `limits` before it is checked, so that concurrent attempts are all
 * counted. If one of the keys is blocked, counts it under none and throws `throttled`. The caller
 * must end the attempt with one of the returned functions. Until then, if the attempt reached a
 * limit, further attempts in this process wait for it; other processes refuse them, for at most 30
 * seconds.
 */
export async function beginAttempt({ db, nowMs }: AttemptDeps, limits: Limit[]): Promise<Attempt> {
  const counted = await count(db, limits, nowMs());
  const endCheck = registerCheck(limits);
  const reached = limits.filter(({ key }) =>
    counted.some((counter) => counter.key === key && counter.isAtLimit),
  );
  const settle = async (isNeeded: boolean, write: () => Promise<void>) => {
    try {
      if (isNeeded) await detached(write);
    } finally {
      endCheck();
    }
  };
  const uncount = (cleared?: string[]) =>
    settle(counted.length > 0, () => uncountAttempt(db, counted, limits, cleared));
  return {
    check: async (work) => {
      try {
        return await work();
      } catch (error) {
        await uncount();
        throw error;
      }
    },
    fail: () => settle(reached.length > 0, () => blockKeys(db, reached, nowMs())),
    succeed: (isCleared) => uncount(keysOf(counted).filter(isCleared)),
  };
}

/** The running checks of this process by key. Each resolves once its outcome is in the counters. */
const runningChecks = new Map<string, Set<Promise<void>>>();

/** Adds a check to `runningChecks`; the returned function removes it. */
function registerCheck(limits: Limit[]): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const { key } of limits)
    runningChecks.set(key, (runningChecks.get(key) ?? new Set()).add(promise));
  return () => {
    resolve();
    for (const { key } of limits) {
      const checks = runningChecks.get(key);
      if (checks?.delete(promise) && checks.size === 0) runningChecks.delete(key);
    }
  };
}

/** Beyond this, attempts are refused at once: each waiting one counts against MAX_IN_FLIGHT. */
const MAX_WAITING = 100;
const MAX_WAIT_MS = 5000;
let waiting = 0;

/** Waits for the running checks of `keys`; false if there are none, or too many attempts wait. */
async function waitForChecks(keys: string[]): Promise<boolean> {
  const checks = keys.flatMap((key) => [...(runningChecks.get(key) ?? [])]);
  if (checks.length === 0 || waiting >= MAX_WAITING) return false;
  waiting++;
  await Promise.all(checks);
  waiting--;
  return true;
}

/**
 * Runs `work` as an attempt that counts whether it succeeds or fails, even if the client hangs up.
 * It does not count if the work could not be done: on a 503 or an unexpected error.
 */
export async function rateLimited<T>(
  deps: AttemptDeps,
  limits: Limit[],
  work: () => Promise<T>,
): Promise<T> {
  const attempt = await beginAttempt(deps, limits);
  const result = await attempt.check(() =>
    work().then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof AppError && error.kind !== "unavailable") return { error };
        if (refusalOf(error) === "CLIENT_GONE") return { error };
        throw error;
      },
    ),
  );
  await attempt.fail();
  if ("error" in result) throw result.error;
  return result.value;
}

/** Counting is tried this often if a key was blocked but no longer is when its wait is read. */
const MAX_TRIES = 3;
const MIN_RETRY_AFTER_S = 1;

async function count(db: Db, limits: Limit[], nowMs: number): Promise<CountedKey[]> {
  if (limits.length === 0) return [];
  const startedMs = performance.now();
  for (let tries = 1; ; tries++) {
    const counted = await countAttempt(db, limits, nowMs);
    if (counted.length === limits.length) return counted;
    // An attempt that one key refuses does not count under the others.
    if (counted.length > 0) await detached(() => uncountAttempt(db, counted, limits));
    if (tries < MAX_TRIES && (await deleteFutureAttempts(db, limits, nowMs))) continue;
    const blocked = await findBlocked(db, keysOf(limits), nowMs);
    // The key may be blocked by attempts that are still being checked and may succeed.
    if (performance.now() - startedMs < MAX_WAIT_MS && (await waitForChecks(keysOf(blocked)))) {
      tries = 0;
      continue;
    }
    const waitS = Math.max(0, ...blocked.map((key) => key.waitS));
    if (waitS > 0 || tries === MAX_TRIES) throw throttled(Math.max(waitS, MIN_RETRY_AFTER_S));
  }
}

const throttled = (waitS: number) =>
  new AppError("throttled", "access.throttled", "Too many attempts; please wait before the next", {
    retryAfterS: waitS,
  });
