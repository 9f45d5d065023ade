import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { lockWorkers, openHome } from "#lib/home.ts";
import type { Ending } from "#lib/processes/programs.ts";
import { type Supervisor, supervise } from "#lib/processes/supervise.ts";
import { readOrGenerateKeys } from "#src/access/keys.ts";
import { type Config, readConfig } from "#src/config/config.ts";
import { type Log, openLog } from "#src/log/log.ts";
import { watchEnvironment } from "./environment.ts";
import { stopSignal } from "./stop-signal.ts";
import { type Environment, startWorker, untilReady, type Worker } from "./worker.ts";

const MAX_WORKERS = 64;
/** How long a worker may take to become ready with new settings. */
const READY_TIMEOUT_MS = 30_000;
/** Give up after this many workers exit before any worker has ever answered. */
const maxStillborn = (workers: number) => Math.max(6, 3 * workers);

type Start = { environment: Environment; mustBeReady: boolean };

/**
 * Serves in `count` processes until SIGTERM, each on its own Unix socket (SO_REUSEPORT does not
 * balance Unix sockets). A worker that exits or hangs is restarted, without a limit; a healthy one
 * is never stopped. SIGHUP reads the settings again and replaces the workers one at a time, waiting
 * until each is ready. If the settings are invalid, or a worker does not become ready with them,
 * the remaining workers keep running. Throws OperatorError if another process runs the home's
 * workers, or if the workers keep exiting and none has ever answered: the settings or the code are
 * at fault.
 */
export async function superviseWorkers(config: Config, count: number): Promise<void> {
  if (!Number.isInteger(count) || count < 1 || count > MAX_WORKERS)
    throw new OperatorError(`--workers must be a whole number from 1 to ${MAX_WORKERS}`, 2);
  if (!config.DATABASE_URL) throw new OperatorError("serve needs DATABASE_URL", 1);
  const { log, flush } = openLog(config);
  const home = openHome(config.IRONTRACK_HOME);
  const lock = lockWorkers(home);
  // Before the workers start, because each of them would generate one.
  if (!config.JWT_PRIVATE_KEYS) await readOrGenerateKeys(home.keyFile);
  const stop = stopSignal();
  const lost = Promise.withResolvers<never>();
  const readEnvironment = watchEnvironment(process.env);
  let hasAnyAnswered = false;
  let stillborn = 0;

  const noteStillborn = ({ code }: Ending) => {
    // A worker that was killed, or could not be spawned, says nothing about the settings or the
    // code.
    if (code === null || hasAnyAnswered || ++stillborn < maxStillborn(count)) return;
    lost.reject(
      new OperatorError(`${stillborn} workers exited before any of them answered: see the log`),
    );
  };
  const superviseOne = (number: number) => {
    const socketPath = join(home.runDir, `irontrack.${number}.sock`);
    const ready = Promise.withResolvers<void>();
    const onReady = (worker: Worker) => {
      log.info({ worker: number, pid: worker.pid, socket: socketPath }, "worker is ready");
      ready.resolve();
    };
    const supervisor = supervise<Worker, Start>(
      { environment: process.env, mustBeReady: false },
      {
        start: async ({ environment, mustBeReady }, signal) => {
          const worker = startWorker(socketPath, readConfig(environment), environment, onReady);
          try {
            await worker.untilAnswers(signal);
            if (mustBeReady) await untilReady(worker, READY_TIMEOUT_MS, signal);
            hasAnyAnswered = true;
            return worker;
          } catch (error) {
            if (worker.hasEnded()) noteStillborn(await worker.ended);
            await worker.stop();
            throw error;
          }
        },
        untilHung: (worker, signal) => worker.untilHung(signal),
        onDown: (why, worker) => {
          if (why instanceof Error)
            log.warn({ worker: number, reason: why.message }, "worker did not start");
          else log.warn({ worker: number, pid: worker?.pid, reason: why }, "worker died");
        },
      },
    );
    return { number, supervisor, ready: ready.promise };
  };
  const workers = Array.from({ length: count }, (_, at) => superviseOne(at + 1));

  /** Whether all workers were replaced. */
  const replaceAll = async (): Promise<boolean> => {
    const environment = readEnvironment();
    try {
      readConfig(environment);
    } catch (error) {
      log.error(
        { reason: (error as Error).message },
        "the settings are invalid: the workers are not replaced",
      );
      return false;
    }
    for (const { number, supervisor } of workers)
      if (!(await replaceOne(number, supervisor, environment))) return false;
    return true;
  };
  const replaceOne = async (
    number: number,
    supervisor: Supervisor<Worker, Start>,
    environment: Environment,
  ) => {
    const start = { environment, mustBeReady: true };
    const isReady = await supervisor.restart(start);
    // Later restarts with these settings do not wait for readiness: the database may be unavailable
    // then.
    start.mustBeReady = false;
    if (!isReady && !stop.isAsked())
      log.error(
        { worker: number },
        "worker did not become ready with the new settings: the other workers are not replaced",
      );
    return isReady;
  };

  onHangup(log, replaceAll, stop.isAsked);
  try {
    await Promise.race([Promise.all(workers.map(({ ready }) => ready)), stop.asked, lost.promise]);
    if (!stop.isAsked()) log.info({ workers: count }, "all workers are ready");
    await Promise.race([stop.asked, lost.promise]);
  } finally {
    await Promise.all(workers.map(({ supervisor }) => supervisor.stop()));
    lock.release();
    await flush();
  }
}

/** Runs `replace` on SIGHUP. Signals that arrive meanwhile are coalesced into one more run. */
function onHangup(log: Log, replace: () => Promise<boolean>, isStopping: () => boolean) {
  let isRunning = false;
  let isWanted = false;
  process.on("SIGHUP", async () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    while (isWanted && !isStopping()) {
      isWanted = false;
      log.info("replacing the workers");
      if (await replace()) log.info("the workers are replaced");
    }
    isRunning = false;
  });
}
