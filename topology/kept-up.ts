import type { Log } from "#src/log.ts";
import { type Running, startAndKeep } from "#src/processes/keep-running.ts";

type Component = Running & { pid: number };

/** A program that is started again when it ends by itself, for as long as it takes. */
export type KeptUp<T extends Component> = {
  /** The one that runs, or the last that did. */
  now(): T;
  /** Stops it in order and starts it again; false if it did not start at once, which is then tried again. */
  restart(): Promise<boolean>;
  stop(): Promise<void>;
};

/**
 * Starts a component and keeps it up until `stop`. Throws what the first start throws; later ones are repeated. `onUp` is
 * called each time it is up again.
 */
export async function keepUp<T extends Component>(
  name: string,
  start: (signal: AbortSignal) => Promise<T>,
  { log, onUp }: { log: Log; onUp: () => void },
): Promise<KeptUp<T>> {
  const kept = await startAndKeep(undefined, {
    start: (_, signal) => start(signal),
    onUp: ({ pid }) => {
      log.info({ component: name, pid }, "component is up again");
      onUp();
    },
    onDown: (why, component) =>
      log.warn(
        { component: name, pid: component?.pid, ...(why instanceof Error ? { err: why } : { reason: why }) },
        "component is down",
      ),
  });
  log.info({ component: name, pid: kept.latest().pid }, "component is up");
  return { now: kept.latest, restart: () => kept.restart(undefined), stop: kept.stop };
}
