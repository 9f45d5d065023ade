import { join } from "node:path";
import { readOrGenerateKeys } from "../access/keys.ts";
import { type Config, readConfig } from "../config.ts";
import { OperatorError } from "../errors.ts";
import { lockWorkers, openHome } from "../home.ts";
import { type Log, openLog } from "../log.ts";
import { type Kept, keepRunning } from "../processes/keep-running.ts";
import type { Ending } from "../processes/programs.ts";
import { watchEnvironment } from "./environment.ts";
import { stopSignal } from "./stop-signal.ts";
import { type Environment, startWorker, untilReady, type Worker } from "./worker.ts";

const MAX_WORKERS = 64;
/** How long a worker may take until it is ready with new settings. */
const READY_TIMEOUT_MS = 30_000;
/** Give up after so many workers have ended by themselves before any of them ever answered. */
const maxStillborn = (workers: number) => Math.max(6, 3 * workers);

type Start = { environment: Environment; mustBeReady: boolean };

/**
 * Serves in `count` processes, each on a Unix socket of its own (they share none: SO_REUSEPORT does not balance those),
 * until SIGTERM. A worker that ends, or answers nothing any more, is replaced, for as long as it takes; one that answers
 * is never stopped. SIGHUP replaces them one at a time, each when the one before it is ready, with the settings as they
 * are by then; if those are wrong, or a worker does not become ready with them, the rest stay as they were. Throws
 * OperatorError if another process runs the home's workers, and if no worker has ever answered and they end by themselves: with these settings, or this code, none will.
 */
export async function superviseWorkers(config: Config, count: number): Promise<void> {
  if (!Number.isInteger(count) || count < 1 || count > MAX_WORKERS)
    throw new OperatorError(`--workers must be a whole number from 1 to ${MAX_WORKERS}`, 2);
  if (!config.DATABASE_URL) throw new OperatorError("serve needs DATABASE_URL", 1);
  const { log, flush } = openLog(config);
  const home = openHome(config.IRONTRACK_HOME);
  const lock = lockWorkers(home);
  // Made before there are several workers who would each make one.
  if (!config.JWT_PRIVATE_KEYS) await readOrGenerateKeys(home.keyFile);
  const stop = stopSignal();
  const lost = Promise.withResolvers<never>();
  const readEnvironment = watchEnvironment(process.env);
  let hasAnyAnswered = false;
  let stillborn = 0;

  const noteStillborn = ({ code }: Ending) => {
    // Killed, or not even started for want of memory or a file, it says nothing about settings and code.
    if (code === null || hasAnyAnswered || ++stillborn < maxStillborn(count)) return;
    lost.reject(new OperatorError(`${stillborn} workers died as soon as they were started: see the log`));
  };
  const keep = (number: number) => {
    const socketPath = join(home.runDir, `irontrack.${number}.sock`);
    const ready = Promise.withResolvers<void>();
    const onReady = (worker: Worker) => {
      log.info({ worker: number, pid: worker.pid, socket: socketPath }, "worker is ready");
      ready.resolve();
    };
    const kept = keepRunning<Worker, Start>(
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
          if (why instanceof Error) log.warn({ worker: number, reason: why.message }, "worker does not start");
          else log.warn({ worker: number, pid: worker?.pid, reason: why }, "worker died");
        },
      },
    );
    return { number, kept, ready: ready.promise };
  };
  const workers = Array.from({ length: count }, (_, at) => keep(at + 1));

  /** Whether all are replaced. */
  const replaceAll = async (): Promise<boolean> => {
    const environment = readEnvironment();
    try {
      readConfig(environment);
    } catch (error) {
      log.error({ reason: (error as Error).message }, "the settings are wrong: the workers stay as they are");
      return false;
    }
    for (const { number, kept } of workers) if (!(await replaceOne(number, kept, environment))) return false;
    return true;
  };
  const replaceOne = async (number: number, kept: Kept<Worker, Start>, environment: Environment) => {
    const start = { environment, mustBeReady: true };
    const isReady = await kept.restart(start);
    // A later one of the same settings may meet a database that is away.
    start.mustBeReady = false;
    if (!isReady && !stop.isAsked())
      log.error({ worker: number }, "worker is not ready with these settings: the others stay as they are");
    return isReady;
  };

  onHangup(log, replaceAll, stop.isAsked);
  try {
    await Promise.race([Promise.all(workers.map(({ ready }) => ready)), stop.asked, lost.promise]);
    if (!stop.isAsked()) log.info({ workers: count }, "all workers are ready");
    await Promise.race([stop.asked, lost.promise]);
  } finally {
    await Promise.all(workers.map(({ kept }) => kept.stop()));
    lock.release();
    await flush();
  }
}

/** Runs `replace` at SIGHUP. However many come meanwhile, one more run follows, with the settings as they are by then. */
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
