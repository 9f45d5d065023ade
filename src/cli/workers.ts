import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { OperatorError } from "../errors.ts";
import { openHome } from "../home.ts";
import { type Log, openLog } from "../log.ts";
import { isExecutable } from "../shipped-files.ts";
import { stopSignal } from "./up.ts";

const MOST_WORKERS = 64;
/** How long a worker may take until it is ready. */
const READY_TIMEOUT_MS = 30_000;
/** The wait before a worker that died is started again, doubled each time it dies young. */
const BACK_OFF_MS = { first: 50, most: 2000 };
/** Older than this, a worker did not die of its start. */
const YOUNG_MS = 10_000;
/** So many deaths of young workers in a row, and somebody must look. */
const MOST_YOUNG_DEATHS = 6;
/** Longer than the five seconds for which the proxy keeps an idle connection to a worker. */
const LINGER_S = 6;

type Worker = { number: number; child: ChildProcess; startedAtMs: number; isStopping: boolean };

/**
 * Serves in `count` processes, each on a Unix socket of its own (they share none: SO_REUSEPORT does not balance those),
 * until SIGTERM. One that dies is started again; SIGHUP replaces them one at a time, each when the one before it is
 * ready. Throws OperatorError when they die as soon as they are started.
 */
export async function superviseWorkers(config: Config, count: number): Promise<void> {
  if (!Number.isInteger(count) || count < 1 || count > MOST_WORKERS)
    throw new OperatorError(`--workers must be a whole number from 1 to ${MOST_WORKERS}`, 2);
  if (!config.DATABASE_URL) throw new OperatorError("serve needs DATABASE_URL", 1);
  const { log } = openLog(config);
  const { runDir } = openHome(config.IRONTRACK_HOME);
  const stop = stopSignal();
  const lost = Promise.withResolvers<never>();
  const workers = new Map<number, Worker>();
  let youngDeaths = 0;

  const start = async (number: number): Promise<void> => {
    const socketPath = join(runDir, `irontrack.${number}.sock`);
    const child = startWorker(socketPath, config);
    const worker = { number, child, startedAtMs: performance.now(), isStopping: false };
    workers.set(number, worker);
    child.once("exit", (code, signal) => void replaceDead(worker, signal ?? code));
    if (!(await isReady(child, socketPath))) return;
    log.info({ worker: number, pid: child.pid, socket: socketPath }, "worker is ready");
  };

  const replaceDead = async (worker: Worker, reason: string | number | null) => {
    if (worker.isStopping || stop.isAsked()) return;
    youngDeaths = performance.now() - worker.startedAtMs < YOUNG_MS ? youngDeaths + 1 : 0;
    log.warn({ worker: worker.number, pid: worker.child.pid, reason }, "worker died");
    if (youngDeaths >= MOST_YOUNG_DEATHS)
      return lost.reject(new OperatorError(`${youngDeaths} workers died as soon as they were started: see the log`));
    await Bun.sleep(Math.min(BACK_OFF_MS.first * 2 ** youngDeaths, BACK_OFF_MS.most));
    if (!stop.isAsked()) await start(worker.number);
  };

  const stopAll = () => Promise.all([...workers.values()].map(stopWorker));
  onHangup(log, async () => {
    for (const number of [...workers.keys()]) {
      if (stop.isAsked()) return;
      await stopWorker(workers.get(number) as Worker);
      await start(number);
    }
  });
  const started = Promise.all(Array.from({ length: count }, (_, at) => start(at + 1)));
  try {
    await Promise.race([started, stop.asked, lost.promise]);
    if (!stop.isAsked()) log.info({ workers: count }, "all workers are ready");
    await Promise.race([stop.asked, lost.promise]);
  } finally {
    // Nobody is started again from here on.
    for (const worker of workers.values()) worker.isStopping = true;
    await stopAll();
  }
}

/** Ourselves, as one worker: from the sources, or from the executable that ships. */
function startWorker(socketPath: string, { DRAIN_LINGER_S: lingerS = LINGER_S }: Config): ChildProcess {
  const program = isExecutable ? [] : [Bun.main];
  return spawn(process.execPath, [...program, "serve"], {
    env: { ...process.env, SOCKET_PATH: socketPath, HOST: "", DRAIN_LINGER_S: String(lingerS) },
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
    if (answer?.ok) return true;
  }
  return false;
}

/** Runs `replace` for each SIGHUP, never two at once: one that comes meanwhile is run after. */
function onHangup(log: Log, replace: () => Promise<void>) {
  let running = Promise.resolve();
  process.on("SIGHUP", () => {
    running = running.then(async () => {
      log.info("replacing the workers");
      await replace();
      log.info("the workers are replaced");
    });
  });
}
