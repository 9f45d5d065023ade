import { availableParallelism } from "node:os";
import { hash, verify } from "@node-rs/argon2";
import { AppError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";

export type Passwords = {
  /** A PHC string of Argon2id. Throws `unavailable` when too many wait. */
  hash(password: string): Promise<string>;
  /** Takes as long for a missing hash (an unknown address) as for a wrong password. */
  matches(password: string, passwordHash: string | undefined): Promise<boolean>;
  /** Whether the hash was made with other parameters than the current ones. */
  isOutdated(passwordHash: string): boolean;
  /** How many hashes are running, and how many wait. */
  readonly queue: { running: number; waiting: number };
};

/**
 * Hashes passwords with Argon2id (the library's default) off the event loop. At most
 * PASSWORD_WORKERS run at once and PASSWORD_QUEUE wait: each takes 64 MiB, so a flood of sign-ins
 * must not start them all. Passwords are compared as sent, in Unicode's composed form (NFC).
 */
export function createPasswords(config: Config, makeHash: typeof hash = hash): Passwords {
  const options = {
    memoryCost: config.PASSWORD_MEMORY_KIB,
    timeCost: config.PASSWORD_PASSES,
    parallelism: 1,
  };
  const workers = config.PASSWORD_WORKERS ?? Math.max(1, Math.floor(availableParallelism() / 2));
  const { run, queue } = createQueue(workers, config.PASSWORD_QUEUE);
  const hashNow = (password: string) => makeHash(password.normalize("NFC"), options);
  // Not a promise: a cached rejection would make unknown addresses distinguishable from known ones
  // until a restart.
  let dummyHash: string | undefined;
  const parameters = `m=${options.memoryCost},t=${options.timeCost},p=${options.parallelism}`;
  return {
    queue,
    isOutdated: (passwordHash) => passwordHash.split("$")[3] !== parameters,
    hash: (password) => run(() => hashNow(password)),
    matches: (password, passwordHash) =>
      run(async () => {
        if (passwordHash === undefined) dummyHash ??= await hashNow("nobody has this password");
        const matched = await verify(
          passwordHash ?? (dummyHash as string),
          password.normalize("NFC"),
        );
        return matched && passwordHash !== undefined;
      }),
  };
}

/**
 * Runs tasks in order, at most `maxRunning` at once. Throws `unavailable` if `maxWaiting` wait
 * already.
 */
function createQueue(maxRunning: number, maxWaiting: number) {
  const waiting: (() => void)[] = [];
  const queue = { running: 0, waiting: 0 };
  const run = async <T>(task: () => Promise<T>): Promise<T> => {
    if (queue.running >= maxRunning) {
      if (waiting.length >= maxWaiting) {
        throw new AppError(
          "unavailable",
          "access.busy",
          "Too many people are signing in; please try again",
          { retryAfterS: 1 },
        );
      }
      await new Promise<void>((proceed) => {
        queue.waiting = waiting.push(proceed);
      });
    } else {
      queue.running++;
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      queue.waiting = waiting.length;
      if (next) next();
      else queue.running--;
    }
  };
  return { run, queue };
}
