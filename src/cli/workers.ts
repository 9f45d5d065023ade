import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { readOrGenerateKeys } from "../access/keys.ts";
import { type Config, readConfig, Settings } from "../config.ts";
import { OperatorError } from "../errors.ts";
import { openHome } from "../home.ts";
import { type Log, openLog } from "../log.ts";
import { isExecutable } from "../shipped-files.ts";
import { watchEnvironment } from "./environment.ts";
import { stopSignal } from "./up.ts";

const MOST_WORKERS = 64;
/** How long a worker may take until it is ready. */
const READY_TIMEOUT_MS = 30_000;
/** How long a worker must have lived after its first answer to count as ready. */
const SETTLE_MS = 200;
/** The wait before a worker that died is started again, doubled each time it dies young. */
const BACK_OFF_MS = { first: 50, most: 2000 };
/** Older than this, a worker did not die of its start. */
const YOUNG_MS = 10_000;
/** So many in a row that died before they were ready, and of each so many, and somebody must look. */
const mostStillborn = (workers: number) => Math.max(6, 3 * workers);
/** Longer than the five seconds for which the proxy keeps an idle connection to a worker. */
const LINGER_S = 6;

type Environment = Record<string, string | undefined>;
type Worker = {
  number: number;
  child: ChildProcess;
  startedAtMs: number;
  wasReady: boolean;
  isStopping: boolean;
  /** How often in a row the one of this number died young. */
  youngDeaths: number;
};

/**
 * Serves in `count` processes, each on a Unix socket of its own (they share none: SO_REUSEPORT does not balance those),
 * until SIGTERM. One that dies is started again. SIGHUP replaces them one at a time, each when the one before it is ready,
 * with the settings as they are by then; where those are wrong, or a worker does not become ready with them, the rest stay
 * as they were. Throws OperatorError when workers die as soon as they are started.
 */
export async function superviseWorkers(config: Config, count: number): Promise<void> {
  if (!Number.isInteger(count) || count < 1 || count > MOST_WORKERS)
    throw new OperatorError(`--workers must be a whole number from 1 to ${MOST_WORKERS}`, 2);
  if (!config.DATABASE_URL) throw new OperatorError("serve needs DATABASE_URL", 1);
  const { log } = openLog(config);
  const home = openHome(config.IRONTRACK_HOME);
  // Made before there are several who would each make one.
  if (!config.JWT_PRIVATE_KEYS) await readOrGenerateKeys(home.keyFile);
  const stop = stopSignal();
  const lost = Promise.withResolvers<never>();
  const workers = new Map<number, Worker>();
  const readEnvironment = watchEnvironment(process.env);
  let environment: Environment = process.env;
  let stillborn = 0;

  /** Whether it became ready. One on trial is not started again when it does not. */
  const start = async (number: number, given = environment, isTrial = false): Promise<boolean> => {
    const socketPath = join(home.runDir, `irontrack.${number}.sock`);
    const child = startWorker(socketPath, config, given);
    const worker = {
      number,
      child,
      startedAtMs: performance.now(),
      wasReady: false,
      isStopping: isTrial,
      youngDeaths: workers.get(number)?.youngDeaths ?? 0,
    };
    workers.set(number, worker);
    child.once("error", (error) => log.error({ worker: number, err: error }, "worker cannot be started"));
    child.once("exit", (code, signal) => void replaceDead(worker, signal ?? code));
    if (!(await isReady(child, socketPath))) {
      // One that hangs is as good as dead.
      child.kill("SIGKILL");
      return false;
    }
    worker.wasReady = true;
    stillborn = 0;
    if (isTrial) worker.isStopping = stop.isAsked();
    log.info({ worker: number, pid: child.pid, socket: socketPath }, "worker is ready");
    return true;
  };

  const replaceDead = async (worker: Worker, reason: string | number | null) => {
    if (worker.isStopping || stop.isAsked()) return;
    worker.youngDeaths = performance.now() - worker.startedAtMs < YOUNG_MS ? worker.youngDeaths + 1 : 0;
    log.warn({ worker: worker.number, pid: worker.child.pid, reason }, "worker died");
    // One that was ready before it died may have been killed: it is worth another try, later each time.
    if (!worker.wasReady && ++stillborn >= mostStillborn(count))
      return lost.reject(new OperatorError(`${stillborn} workers died as soon as they were started: see the log`));
    await Bun.sleep(Math.min(BACK_OFF_MS.first * 2 ** worker.youngDeaths, BACK_OFF_MS.most));
    const isStillMissing = workers.get(worker.number) === worker;
    if (isStillMissing && !stop.isAsked()) await start(worker.number);
  };

  /** Whether all are replaced. */
  const replaceAll = async (): Promise<boolean> => {
    const wanted = readEnvironment();
    try {
      readConfig(wanted);
    } catch (error) {
      log.error({ reason: (error as Error).message }, "the settings are wrong: the workers stay as they are");
      return false;
    }
    for (const number of [...workers.keys()]) {
      if (stop.isAsked()) return false;
      await stopWorker(workers.get(number) as Worker);
      if (await start(number, wanted, true)) {
        environment = wanted;
        continue;
      }
      log.error({ worker: number }, "worker is not ready with these settings: the others stay as they are");
      if (!stop.isAsked()) await start(number);
      return false;
    }
    return true;
  };

  onHangup(log, replaceAll);
  const started = Promise.all(Array.from({ length: count }, (_, at) => start(at + 1)));
  try {
    await Promise.race([started, stop.asked, lost.promise]);
    if (!stop.isAsked()) log.info({ workers: count }, "all workers are ready");
    await Promise.race([stop.asked, lost.promise]);
  } finally {
    // Nobody is started again from here on.
    for (const worker of workers.values()) worker.isStopping = true;
    await Promise.all([...workers.values()].map(stopWorker));
  }
}

/**
 * Ourselves, as one worker: from the sources, or from the executable that ships. It has the settings it is given, and does
 * not look into `.env` for others.
 */
function startWorker(socketPath: string, { DRAIN_LINGER_S: lingerS = LINGER_S }: Config, given: Environment) {
  const program = isExecutable ? [] : ["--no-env-file", Bun.main];
  // An executable cannot be told not to look: it is given every setting, and what is empty counts as unset.
  const unset = isExecutable ? Object.fromEntries(Object.keys(Settings.properties).map((name) => [name, ""])) : {};
  return spawn(process.execPath, [...program, "serve"], {
    env: { ...unset, ...given, SOCKET_PATH: socketPath, HOST: "", DRAIN_LINGER_S: String(lingerS) },
    // By the channel a worker learns that its supervisor is gone.
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** Asks a worker to drain, and waits until it has. Its own time limit ends it. */
async function stopWorker(worker: Worker): Promise<void> {
  worker.isStopping = true;
  const { child } = worker;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Whether it answers that it is ready before it ends or its time is over. */
async function isReady(child: ChildProcess, unix: string): Promise<boolean> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; await Bun.sleep(25)) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const answer = await fetch("http://localhost/health/ready", { unix }).catch(() => undefined);
    if (!answer?.ok) continue;
    // What fails after a socket is there ends it in the next moment.
    await Bun.sleep(SETTLE_MS);
    return child.exitCode === null && child.signalCode === null;
  }
  return false;
}

/** Runs `replace` for each SIGHUP, never two at once: one that comes meanwhile is run after. */
function onHangup(log: Log, replace: () => Promise<boolean>) {
  let running = Promise.resolve();
  process.on("SIGHUP", () => {
    running = running.then(async () => {
      log.info("replacing the workers");
      if (await replace()) log.info("the workers are replaced");
    });
  });
}
