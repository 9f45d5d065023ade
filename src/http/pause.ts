import { refusal } from "#db/errors.ts";
import { requestContext } from "./request-context.ts";

const MAX_BUSY_MS = 8;

/**
 * A function for long computations to call often: every 8 ms it yields to the event loop, so that
 * other requests proceed. It throws `CLIENT_GONE` if the client has hung up and nobody else waits
 * for the result, unless `isDetached`.
 */
export function createPause({ isDetached = false } = {}): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < MAX_BUSY_MS) return;
    await new Promise((turned) => setImmediate(turned));
    const context = requestContext.getStore();
    if (!isDetached && context && context.joiners === 0 && context.request.signal.aborted)
      throw refusal("CLIENT_GONE");
    sinceMs = performance.now();
  };
}
