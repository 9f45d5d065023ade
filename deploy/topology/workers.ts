import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { type Program, startProgram } from "#lib/processes/programs.ts";

export type WorkersOptions = {
  count: number;
  /** Where their sockets appear: the runDir of the home that `settings` names. */
  runDir: string;
  settings: Record<string, string>;
  /** Their log file; if absent, they inherit our streams. */
  logFile?: string | undefined;
  /** Aborting it stops them and ends the wait. */
  signal?: AbortSignal;
};

export type Workers = {
  /** The process id of their supervisor. */
  pid: number;
  sockets: string[];
  /** The process ids of the workers, in no order; during a replacement, of old and new ones. */
  pids(): number[];
  /** Replaces all, one at a time, and waits until the last is ready. */
  replace(): Promise<void>;
  ended: Promise<unknown>;
  stop(): Promise<void>;
};

const ROOT = join(import.meta.dir, "../..");
/** Longer than a worker may take to drain. */
const STOP_TIMEOUT_MS = 40_000;

/**
 * Starts `irontrack serve --workers` and waits until each worker is ready. There is no timeout,
 * because their database may be unavailable; throws OperatorError if the supervisor exits.
 */
export async function startWorkers({
  count,
  runDir,
  settings,
  logFile,
  signal,
}: WorkersOptions): Promise<Workers> {
  const output = logFile === undefined ? "inherit" : openSync(logFile, "a", 0o600);
  const supervisor = startProgram(
    [process.execPath, join(ROOT, "cli/main.ts"), "serve", "--workers", String(count)],
    {
      cwd: ROOT,
      env: { ...process.env, ...settings },
      stdio: ["ignore", output, output],
      graceMs: STOP_TIMEOUT_MS,
    },
  );
  if (typeof output === "number") closeSync(output);
  const sockets = Array.from({ length: count }, (_, at) =>
    join(runDir, `irontrack.${at + 1}.sock`),
  );
  const { pid, ended, stop } = supervisor;
  await untilAllReady(supervisor, sockets, () => true, signal);
  return {
    pid,
    sockets,
    pids: () => childrenOf(pid),
    replace: async () => {
      const before = childrenOf(pid);
      supervisor.child.kill("SIGHUP");
      await untilAllReady(supervisor, sockets, () =>
        childrenOf(pid).every((worker) => !before.includes(worker)),
      );
    },
    ended,
    stop,
  };
}

async function untilAllReady(
  supervisor: Program,
  sockets: string[],
  isRightSet: () => boolean,
  signal?: AbortSignal,
): Promise<void> {
  while (!supervisor.hasEnded() && !signal?.aborted) {
    if (isRightSet() && (await Promise.all(sockets.map(isReady))).every(Boolean)) return;
    await Bun.sleep(25);
  }
  await supervisor.stop();
  throw new OperatorError("The workers did not start");
}

/** Whether the worker on a Unix socket is ready. */
export const isReady = (unix: string): Promise<boolean> =>
  fetch("http://localhost/health/ready", { unix, signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** The children of `pid`, of all its threads (Linux), without its watcher. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) =>
        readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
      )
      .filter(
        (child) => !readFileSync(`/proc/${child}/cmdline`, "utf8").includes("processes/watcher.ts"),
      )
      .map(Number);
  } catch {
    return [];
  }
}
