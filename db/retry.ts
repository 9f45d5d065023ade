import { wasUndoneForOthers } from "./errors.ts";

/** How long the first retry waits at least; at most twice as long, and the second twice that. */
const RETRY_WAIT_MS = 100;

/**
 * Runs a whole transaction, and up to `maxRetries` times more if PostgreSQL undid it so that others could go on (a
 * deadlock, a serialization failure). `beforeRetry` may throw to give up. Throws whatever the last run threw.
 */
export async function retryUndone<T>(
  maxRetries: number,
  run: () => Promise<T>,
  beforeRetry: () => void = () => {},
): Promise<T> {
  for (let count = 0; ; count++) {
    try {
      return await run();
    } catch (error) {
      if (count >= maxRetries || !wasUndoneForOthers(error)) throw error;
      // Let the other transaction finish first, or the two deadlock again.
      await Bun.sleep((count + 1) * RETRY_WAIT_MS * (1 + Math.random()));
      beforeRetry();
    }
  }
}
