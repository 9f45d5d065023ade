import { isRetryable } from "./errors.ts";

/**
 * The minimum delay of the first retry; jitter at most doubles it, and the second retry waits twice
 * as long.
 */
const RETRY_WAIT_MS = 100;

/**
 * Runs a transaction and retries it up to `maxRetries` times after a deadlock or a serialization
 * failure. `beforeRetry` may throw to give up. Throws the error of the last attempt.
 */
export async function retryTransaction<T>(
  maxRetries: number,
  run: () => Promise<T>,
  beforeRetry: () => void = () => {},
): Promise<T> {
  for (let count = 0; ; count++) {
    try {
      return await run();
    } catch (error) {
      if (count >= maxRetries || !isRetryable(error)) throw error;
      // Let the other transaction finish first, or the two deadlock again.
      await Bun.sleep((count + 1) * RETRY_WAIT_MS * (1 + Math.random()));
      beforeRetry();
    }
  }
}
