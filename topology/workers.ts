import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#src/errors.ts";
import { type Program, startProgram } from "#src/processes/programs.ts";

export type WorkersOptions = {
  count: number;
  /** Where their sockets appear: the runDir of the home that `settings` names. */
  runDir: string;
  settings: Record<string, string>;
  /** Where their log goes; absent: ours. */
  logFile?: string | undefined;
  /** Aborted, they are stopped and not waited for any longer. */
  signal?: AbortSignal;
};

export type Workers = {
  /** Of their supervisor. */
  pid: number;
  sockets: string[];
  /** Of the workers there are, in no order; while they are replaced, of both. */
  pids(): number[];
  /** Replaces all, one at a time, and waits until the last is ready. */
  replace(): Promise<void>;
  ended: Promise<unknown>;
  stop(): Promise<void>;
};

const ROOT = join(import.meta.dir, "..");
/** Longer than each worker may drain. */
const STOP_TIMEOUT_MS = 40_000;

/**
 * Starts `irontrack serve --workers` and waits until each worker is ready, for as long as their supervisor runs: their
 * database may be away. Throws OperatorError when it ends.
 */
export async function startWorkers({ count, runDir, settings, logFile, signal }: WorkersOptions): Promise<Workers> {
  const output = logFile === undefined ? "inherit" : openSync(logFile, "a", 0o600);
  const supervisor = startProgram([process.execPath, join(ROOT, "src/cli.ts"), "serve", "--workers", String(count)], {
    cwd: ROOT,
    env: { ...process.env, ...settings },
    stdio: ["ignore", output, output],
    graceMs: STOP_TIMEOUT_MS,
  });
  if (typeof output === "number") closeSync(output);
  const sockets = Array.from({ length: count }, (_, at) => join(runDir, `irontrack.${at + 1}.sock`));
  const { pid, ended, stop } = supervisor;
  await untilAllReady(supervisor, sockets, () => true, signal);
  return {
    pid,
    sockets,
    pids: () => childrenOf(pid),
    replace: async () => {
      const before = childrenOf(pid);
      supervisor.child.kill("SIGHUP");
      await untilAllReady(supervisor, sockets, () => childrenOf(pid).every((worker) => !before.includes(worker)));
    },
    ended,
    stop,
  };
}

async function untilAllReady(
  supervisor: Program,
  sockets: string[],
  areTheRight: () => boolean,
  signal?: AbortSignal,
): Promise<void> {
  while (!supervisor.hasEnded() && !signal?.aborted) {
    if (areTheRight() && (await Promise.all(sockets.map(isReady))).every(Boolean)) return;
    await Bun.sleep(25);
  }
  await supervisor.stop();
  throw new OperatorError("The workers do not start");
}

/** Whether what listens on a Unix socket says that it is ready. */
export const isReady = (unix: string): Promise<boolean> =>
  fetch("http://localhost/health/ready", { unix, signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** The processes that `pid` started, whichever of its threads did (Linux), without the one that cleans up after it. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean))
      .filter((child) => !readFileSync(`/proc/${child}/cmdline`, "utf8").includes("processes/watcher.ts"))
      .map(Number);
  } catch {
    return [];
  }
}
