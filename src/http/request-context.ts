import { AsyncLocalStorage } from "node:async_hooks";
import type { RequestContext } from "#db/connection-queue.ts";

/** The request that the current code works for; undefined for background work. */
export const requestContext = new AsyncLocalStorage<RequestContext | undefined>();

/** Completes `work` even if the client hangs up, because other requests have joined it. */
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

/** Runs `work` as background work, which is neither cancelled nor refused. */
export const detached = <T>(work: () => T): T => requestContext.run(undefined, work);
