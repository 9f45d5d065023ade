import type { Db } from "#db/client.ts";
import { refusalOf } from "#db/errors.ts";
import { AppError } from "#lib/errors.ts";
import { detached } from "../http/request-context.ts";
import {
  blockKeys,
  type Counted,
  countAttempt,
  findRefusing,
  forgetFutureAttempts,
  keysOf,
  type Limit,
  returnAttempt,
} from "./attempts.queries.ts";

type Deps = { db: Db; nowMs: () => number };

/** An attempt that was counted and whose outcome is not known yet. */
export type Attempt = {
  /** Runs the check of the attempt. If the check throws, the attempt is taken back. */
  judge<T>(work: () => Promise<T>): Promise<T>;
  /** The attempt failed: it stays counted, and blocks the keys whose limit it reached. */
  keep(): Promise<void>;
  /**
   * The attempt succeeded: it is taken back, and the counters of keys for which `isCleared` holds
   * are deleted.
   */
  succeed(isCleared: (key: string) => boolean): Promise<void>;
};

/**
 * Counts an attempt under all of `limits` before it is checked, so that concurrent attempts are all
 * counted. Counts it under none and throws throttled if one of the keys is blocked. The caller must
 * end the attempt with one of the returned functions. Until then, if the attempt reached a limit,
 * further ones in this process wait for it; other processes refuse them, for at most 30 seconds.
 */
export async function beginAttempt({ db, nowMs }: Deps, limits: Limit[]): Promise<Attempt> {
  const counted = await count(db, limits, nowMs());
  const endJudgement = beginJudgement(limits);
  const reached = limits.filter(({ key }) =>
    counted.some((counter) => counter.key === key && counter.isAtLimit),
  );
  const settle = async (isNeeded: boolean, write: () => Promise<void>) => {
    try {
      if (isNeeded) await detached(write);
    } finally {
      endJudgement();
    }
  };
  const giveBack = (cleared?: string[]) =>
    settle(counted.length > 0, () => returnAttempt(db, counted, limits, cleared));
  return {
    judge: async (work) => {
      try {
        return await work();
      } catch (error) {
        await giveBack();
        throw error;
      }
    },
    keep: () => settle(reached.length > 0, () => blockKeys(db, reached, nowMs())),
    succeed: (isCleared) => giveBack(counted.map(({ key }) => key).filter(isCleared)),
  };
}

/**
 * The attempts that this process is checking, by key. Each promise resolves when the outcome is in
 * the counters.
 */
const underJudgement = new Map<string, Set<Promise<void>>>();

/** Registers an attempt in `underJudgement`; the returned function removes it. */
function beginJudgement(limits: Limit[]): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const { key } of limits)
    underJudgement.set(key, (underJudgement.get(key) ?? new Set()).add(promise));
  return () => {
    resolve();
    for (const { key } of limits) {
      const others = underJudgement.get(key);
      if (others?.delete(promise) && others.size === 0) underJudgement.delete(key);
    }
  };
}

/**
 * Further attempts are refused without waiting: each waiting one counts as a request in flight on
 * the database.
 */
const MAX_WAITING = 100;
const MAX_WAIT_MS = 5000;
let waiting = 0;

/**
 * Waits for the attempts that this process is checking under `refusing`; false if there are none,
 * or too many wait.
 */
async function othersAreJudged(refusing: { key: string }[]): Promise<boolean> {
  const others = refusing.flatMap(({ key }) => [...(underJudgement.get(key) ?? [])]);
  if (others.length === 0 || waiting >= MAX_WAITING) return false;
  waiting++;
  await Promise.all(others);
  waiting--;
  return true;
}

/**
 * Runs `work` as an attempt that counts whether it succeeds or fails, also if the client hangs up
 * meanwhile. It does not count if the work could not be done: on a 503 or an unexpected error.
 */
export async function attempt<T>(deps: Deps, limits: Limit[], work: () => Promise<T>): Promise<T> {
  const counted = await beginAttempt(deps, limits);
  const result = await counted.judge(() =>
    work().then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof AppError && error.kind !== "unavailable") return { error };
        if (refusalOf(error) === "CLIENT_GONE") return { error };
        throw error;
      },
    ),
  );
  await counted.keep();
  if ("error" in result) throw result.error;
  return result.value;
}

/** Counting is retried this often if a key was blocked, and no longer is when its wait is read. */
const MAX_TRIES = 3;
const SHORTEST_WAIT_S = 1;

async function count(db: Db, limits: Limit[], nowMs: number): Promise<Counted[]> {
  if (limits.length === 0) return [];
  const startedMs = performance.now();
  for (let tries = 1; ; tries++) {
    const counted = await countAttempt(db, limits, nowMs);
    if (counted.length === limits.length) return counted;
    // An attempt that one key refuses does not count under the others.
    if (counted.length > 0) await detached(() => returnAttempt(db, counted, limits));
    if (tries < MAX_TRIES && (await forgetFutureAttempts(db, limits, nowMs))) continue;
    const refusing = await findRefusing(db, keysOf(limits), nowMs);
    // The key may be blocked by attempts that are still being checked and may succeed. Meanwhile no
    // others begin.
    if (performance.now() - startedMs < MAX_WAIT_MS && (await othersAreJudged(refusing))) {
      tries = 0;
      continue;
    }
    const waitS = Math.max(0, ...refusing.map((blocked) => blocked.waitS));
    if (waitS > 0 || tries === MAX_TRIES) throw throttled(Math.max(waitS, SHORTEST_WAIT_S));
  }
}

const throttled = (waitS: number) =>
  new AppError("throttled", "access.throttled", "Too many attempts; please wait before the next", {
    retryAfterS: waitS,
  });
