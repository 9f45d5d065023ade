import { AsyncLocalStorage } from "node:async_hooks";
import type { RequestContext } from "#db/admission.ts";

/** The request that the running code works for; undefined for the process's own work. */
export const requestContext = new AsyncLocalStorage<RequestContext | undefined>();

/** Runs `work` to its end though its client goes away: others wait for it too. */
export async function keepAliveForJoiners<T>(work: () => Promise<T>): Promise<T> {
  const context = requestContext.getStore();
  if (!context) return work();
  context.joiners++;
  try {
    return await work();
  } finally {
    context.joiners--;
  }
}

/**
 * Runs `work` as the process's own, which is neither given up nor refused: what a request must not
 * leave undone.
 */
export const detached = <T>(work: () => T): T => requestContext.run(undefined, work);
