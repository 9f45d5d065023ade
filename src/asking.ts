import { AsyncLocalStorage } from "node:async_hooks";
import type { Asker } from "#db/gate.ts";

/** The request that the running code works for; undefined for the process's own work. */
export const asking = new AsyncLocalStorage<Asker | undefined>();

/** Runs `work` to its end though its client goes away: others wait for it too. */
export async function evenIfGone<T>(work: () => Promise<T>): Promise<T> {
  const asker = asking.getStore();
  if (!asker) return work();
  asker.heldBy++;
  try {
    return await work();
  } finally {
    asker.heldBy--;
  }
}

/** Runs `work` as the process's own, which is neither given up nor refused: what a request must not leave undone. */
export const inAnyCase = <T>(work: () => T): T => asking.run(undefined, work);
