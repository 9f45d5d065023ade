import { type ChildProcess, spawn } from "node:child_process";
import { sendSignal } from "./process-identity.ts";
import { recordLine, retract, watcherInput } from "./watcher-client.ts";

export type ProgramOptions = {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** By default, all three streams are ignored. */
  stdio?: ("ignore" | "inherit" | "pipe" | "ipc" | number)[];
  /** The signals that request its end, the gentlest first; SIGKILL follows. Default: SIGTERM. */
  stopSignals?: NodeJS.Signals[];
  /** How long to wait after each signal. */
  graceMs?: number;
};

/** How a program ended; `error` if it could not be started at all. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null; error?: Error };

export type Program = {
  /** 0 if it could not be started. */
  pid: number;
  child: ChildProcess;
  hasEnded(): boolean;
  /** Resolves when it has ended; the rest of its process group is killed then. Never rejects. */
  ended: Promise<Ending>;
  /** Asks it to end, kills it after the grace periods, and resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills its process group, and resolves when it has ended. */
  kill(): Promise<void>;
};

const DEFAULT_GRACE_MS = 10_000;

/**
 * Starts a program in a session and process group of its own. However this process ends, even by
 * SIGKILL, the program is stopped with `stopSignals`, then SIGKILL. Every long-running program must
 * be started this way.
 */
export function startProgram(command: string[], options: ProgramOptions = {}): Program {
  const { cwd, env, stdio = ["ignore", "ignore", "ignore"] } = options;
  const { stopSignals = ["SIGTERM"], graceMs = DEFAULT_GRACE_MS } = options;
  const watcherFd = watcherInput();
  const stopSpec = `${stopSignals.join(",")} ${graceMs}`;
  const [file = "", ...args] =
    watcherFd === undefined ? command : announcedCommand(command, stdio.length, stopSpec);
  const child = spawn(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    detached: watcherFd !== undefined,
    serialization: "advanced",
    stdio: watcherFd === undefined ? stdio : [...stdio, watcherFd],
  });
  const pid = child.pid ?? 0;
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    const end = (result: Ending) => {
      if (ending) return;
      ending = result;
      if (watcherFd !== undefined && pid > 0) {
        sendSignal(-pid, "SIGKILL");
        retract(`start ${pid} ${stopSpec}`, `end ${pid}`);
      }
      resolve(result);
    };
    child.once("error", (error) => pid === 0 && end({ code: null, signal: null, error }));
    child.once("exit", (code, signal) => end({ code, signal }));
  });
  if (watcherFd !== undefined && pid > 0) recordLine(`start ${pid} ${stopSpec}`);
  const endsWithin = (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // Unreferenced: this timer must not keep the process alive.
    setTimeout(resolve, ms, false).unref();
    return Promise.race([ended.then(() => true), promise]);
  };
  const kill = async () => {
    if (ending === undefined) sendSignal(watcherFd === undefined ? pid : -pid, "SIGKILL");
    await ended;
  };
  const stop = async () => {
    child.ref();
    for (const signal of stopSignals) {
      if (ending !== undefined) return;
      sendSignal(pid, signal);
      if (await endsWithin(graceMs)) return;
    }
    await kill();
  };
  return { pid, child, hasEnded: () => ending !== undefined, ended, stop, kill };
}

/**
 * Runs a program to its end, and returns its exit code and its output. Started by `startProgram`,
 * so it does not outlive this process. Aborting `signal` stops it.
 */
export async function runProgram(
  command: string[],
  { signal, ...options }: Omit<ProgramOptions, "stdio"> & { signal?: AbortSignal | undefined } = {},
) {
  const { child, ended, stop } = startProgram(command, {
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const abort = () => void stop();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const read = async (stream: NodeJS.ReadableStream | null) => {
    let text = "";
    for await (const chunk of stream ?? []) text += chunk;
    return text;
  };
  const [stdout, stderr, { code, error }] = await Promise.all([
    read(child.stdout),
    read(child.stderr),
    ended,
  ]);
  signal?.removeEventListener("abort", abort);
  return { code, stdout, stderr: error?.message ?? stderr };
}

/**
 * Wraps the command in a shell that sends its process id to the watcher and then execs the command.
 * The shell holds the watcher's pipe open until the exec, so the watcher always knows a program
 * before it runs.
 */
function announcedCommand(command: string[], fd: number, stopSpec: string): string[] {
  // In a subshell, so that the SIGPIPE of a dead watcher does not end the command.
  const script = `(printf 'start %s %s\\n' $$ "$1" >&${fd}); shift; exec "$@" ${fd}>&-`;
  return ["/bin/sh", "-c", script, "sh", stopSpec, ...command];
}
