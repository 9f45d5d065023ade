import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#src/errors.ts";

export type WorkersOptions = {
  count: number;
  /** Where their sockets appear: the runDir of the home that `settings` names. */
  runDir: string;
  settings: Record<string, string>;
  /** Where their log goes; absent: ours. */
  logFile?: string | undefined;
};

export type Workers = {
  /** Of their supervisor. */
  pid: number;
  sockets: string[];
  /** Of the workers there are, in no order; while they are replaced, of both. */
  pids(): number[];
  /** Replaces all, one at a time, and waits until the last is ready. */
  replace(): Promise<void>;
  ended: Promise<void>;
  stop(): Promise<void>;
};

const ROOT = join(import.meta.dir, "..");
const READY_TIMEOUT_MS = 60_000;

/** Starts `irontrack serve --workers` and waits until each worker is ready. Throws OperatorError when it ends. */
export async function startWorkers({ count, runDir, settings, logFile }: WorkersOptions): Promise<Workers> {
  const output = logFile === undefined ? "inherit" : openSync(logFile, "a", 0o600);
  const child = spawn(process.execPath, [join(ROOT, "src/cli.ts"), "serve", "--workers", String(count)], {
    cwd: ROOT,
    env: { ...process.env, ...settings },
    // Its own session: Ctrl-C must reach us first. By the channel it learns that we are gone.
    detached: true,
    stdio: ["ignore", output, output, "ipc"],
  });
  if (typeof output === "number") closeSync(output);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const sockets = Array.from({ length: count }, (_, at) => join(runDir, `irontrack.${at + 1}.sock`));
  const pid = child.pid as number;
  await untilAllReady(child, sockets, () => true);
  return {
    pid,
    sockets,
    pids: () => childrenOf(pid),
    replace: async () => {
      const before = childrenOf(pid);
      child.kill("SIGHUP");
      await untilAllReady(child, sockets, () => childrenOf(pid).every((worker) => !before.includes(worker)));
    },
    ended,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function untilAllReady(child: ChildProcess, sockets: string[], areTheRight: () => boolean) {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; await Bun.sleep(25)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new OperatorError("The workers do not start");
    if (areTheRight() && (await Promise.all(sockets.map(isReady))).every(Boolean)) return;
  }
  child.kill("SIGTERM");
  throw new OperatorError(`The workers were not ready within ${READY_TIMEOUT_MS / 1000} s`);
}

/** Whether what listens on a Unix socket says that it is ready. */
export const isReady = (unix: string): Promise<boolean> =>
  fetch("http://localhost/health/ready", { unix, signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** The processes that `pid` started, whichever of its threads did (Linux). */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
