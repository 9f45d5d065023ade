import type { Db } from "#db/client.ts";
import { refusalOf } from "#db/errors.ts";
import { inAnyCase } from "../asking.ts";
import { AppError } from "../errors.ts";
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

/** An attempt that is counted, until it is known what came of it. */
export type Attempt = {
  /** Runs what judges it. When that throws, it was not judged, and does not count. */
  judge<T>(work: () => Promise<T>): Promise<T>;
  /** It counts: from now on the keys whose limit it reached refuse further ones. */
  keep(): Promise<void>;
  /** It was right: it does not count, and `isCleared` says of which keys all that was counted is forgotten. */
  succeed(isCleared: (key: string) => boolean): Promise<void>;
};

/**
 * Counts an attempt under all of `limits` before it is made, so that a thousand at once are a thousand, or under none of
 * them: throws throttled when one refuses it. What comes of it must be said by one of the functions returned; until then
 * the attempt that reaches a limit has others of this process wait, and those of other processes refused for half a minute
 * at most.
 */
export async function beginAttempt({ db, nowMs }: Deps, limits: Limit[]): Promise<Attempt> {
  const counted = await count(db, limits, nowMs());
  const endJudgement = beginJudgement(limits);
  const reached = limits.filter(({ key }) => counted.some((one) => one.key === key && one.isAtLimit));
  const settle = async (isNeeded: boolean, write: () => Promise<void>) => {
    try {
      if (isNeeded) await inAnyCase(write);
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

/** The attempts that this process judges, by their keys; each is done once the counters say what came of it. */
const underJudgement = new Map<string, Set<Promise<void>>>();

/** Returns what ends it. */
function beginJudgement(limits: Limit[]): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const { key } of limits) underJudgement.set(key, (underJudgement.get(key) ?? new Set()).add(promise));
  return () => {
    resolve();
    for (const { key } of limits) {
      const others = underJudgement.get(key);
      if (others?.delete(promise) && others.size === 0) underJudgement.delete(key);
    }
  };
}

/** More are refused at once: each holds a place among the requests that use the database. */
const MAX_WAITING = 100;
const MAX_WAIT_MS = 5000;
let waiting = 0;

/** Waits until what is under judgement by any of `refusing` is judged; false when that is nothing, or too many wait. */
async function othersAreJudged(refusing: { key: string }[]): Promise<boolean> {
  const others = refusing.flatMap(({ key }) => [...(underJudgement.get(key) ?? [])]);
  if (others.length === 0 || waiting >= MAX_WAITING) return false;
  waiting++;
  await Promise.all(others);
  waiting--;
  return true;
}

/**
 * Runs `work` as an attempt under `limits` that counts whatever came of it, also when its client hung up meanwhile, but
 * not when it could not be done: with 503, or by a fault of ours.
 */
export async function attempt<T>(deps: Deps, limits: Limit[], work: () => Promise<T>): Promise<T> {
  const begun = await beginAttempt(deps, limits);
  const result = await begun.judge(() =>
    work().then(
      (value) => ({ value }),
      (error: unknown) => {
        if (error instanceof AppError && error.kind !== "unavailable") return { error };
        if (refusalOf(error) === "CLIENT_GONE") return { error };
        throw error;
      },
    ),
  );
  await begun.keep();
  if ("error" in result) throw result.error;
  return result.value;
}

/** How often it is tried again after a key refused that does so no more when it is asked for how long. */
const MAX_TRIES = 3;
const SHORTEST_WAIT_S = 1;

async function count(db: Db, limits: Limit[], nowMs: number): Promise<Counted[]> {
  if (limits.length === 0) return [];
  const startedMs = performance.now();
  for (let tries = 1; ; tries++) {
    const counted = await countAttempt(db, limits, nowMs);
    if (counted.length === limits.length) return counted;
    // What one key refuses does not count under the others.
    if (counted.length > 0) await inAnyCase(() => returnAttempt(db, counted, limits));
    if (tries < MAX_TRIES && (await forgetFutureAttempts(db, limits, nowMs))) continue;
    const refusing = await findRefusing(db, keysOf(limits), nowMs);
    // A key may refuse only because of attempts that are not judged yet, which may be right. No more begin meanwhile.
    if (performance.now() - startedMs < MAX_WAIT_MS && (await othersAreJudged(refusing))) {
      tries = 0;
      continue;
    }
    const waitS = Math.max(0, ...refusing.map((one) => one.waitS));
    if (waitS > 0 || tries === MAX_TRIES) throw throttled(Math.max(waitS, SHORTEST_WAIT_S));
  }
}

const throttled = (waitS: number) =>
  new AppError("throttled", "access.throttled", "Too many attempts; please wait before the next", {
    retryAfterS: waitS,
  });
