import { refusal } from "#db/errors.ts";
import { requestContext } from "./request-context.ts";

const MAX_BUSY_MS = 8;

/**
 * A function that long computations call often. Every 8 ms it yields to the event loop, so that
 * other requests proceed. Throws `CLIENT_GONE` if the client has hung up and no other request waits
 * for the result, unless `isDetached`.
 */
export function createPause({ isDetached = false } = {}): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < MAX_BUSY_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    const context = requestContext.getStore();
    if (!isDetached && context && context.joiners === 0 && context.request.signal.aborted)
      throw refusal("CLIENT_GONE");
    sinceMs = performance.now();
  };
}
