import { refusal } from "#db/errors.ts";
import { asking } from "./asking.ts";

const MAX_BUSY_MS = 8;

/**
 * A pause for long computations, to be called often: every 8 ms it lets the event loop turn, so that other requests go on.
 * Throws the refusal of a client that has gone away, for then the work has no purpose, unless it is `isDetached`.
 */
export function createPause({ isDetached = false } = {}): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < MAX_BUSY_MS) return;
    await new Promise((turned) => setImmediate(turned));
    const context = asking.getStore();
    if (!isDetached && context && context.heldBy === 0 && context.request.signal.aborted) throw refusal("CLIENT_GONE");
    sinceMs = performance.now();
  };
}
