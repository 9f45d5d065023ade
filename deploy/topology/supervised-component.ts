import { type Running, startSupervised } from "#lib/processes/supervise.ts";
import type { Log } from "#src/log/log.ts";

type Component = Running & { pid: number };

/** A component that is restarted whenever it exits by itself, without a limit. */
export type SupervisedComponent<T extends Component> = {
  /** The running instance, or the last that ran. */
  current(): T;
  /**
   * Stops it in order and starts it again. False if the first attempt fails; it is retried then.
   */
  restart(): Promise<boolean>;
  stop(): Promise<void>;
};

/**
 * Starts a component and restarts it until `stop`. Throws what the first start throws; later starts
 * are retried. `onUp` is called after each restart.
 */
export async function superviseComponent<T extends Component>(
  name: string,
  start: (signal: AbortSignal) => Promise<T>,
  { log, onUp }: { log: Log; onUp: () => void },
): Promise<SupervisedComponent<T>> {
  const supervisor = await startSupervised(undefined, {
    start: (_, signal) => start(signal),
    onUp: ({ pid }) => {
      log.info({ component: name, pid }, "component is up again");
      onUp();
    },
    onDown: (why, component) =>
      log.warn(
        {
          component: name,
          pid: component?.pid,
          ...(why instanceof Error ? { err: why } : { reason: why }),
        },
        "component is down",
      ),
  });
  log.info({ component: name, pid: supervisor.latest().pid }, "component is up");
  return {
    current: supervisor.latest,
    restart: () => supervisor.restart(undefined),
    stop: supervisor.stop,
  };
}
