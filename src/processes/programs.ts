import { type ChildProcess, spawn } from "node:child_process";
import { sendSignal } from "./known-process.ts";
import { hasBeenTold, takeBack, watcherInput } from "./watched.ts";

export type ProgramOptions = {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Nothing in and nothing out unless given. */
  stdio?: ("ignore" | "inherit" | "pipe" | "ipc" | number)[];
  /** What asks it to end, the gentlest first; SIGKILL follows in any case. */
  stopSignals?: NodeJS.Signals[];
  /** How long it may take to end after each of them. */
  graceMs?: number;
};

/** How a program ended; `error` if it could not be started at all. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null; error?: Error };

export type Program = {
  /** 0 if it could not be started. */
  pid: number;
  child: ChildProcess;
  hasEnded(): boolean;
  /** Resolves, and never rejects, when it has ended, and with it the rest of its process group. */
  ended: Promise<Ending>;
  /** Asks it to end, kills it when it does not in time, and resolves when it has ended. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
};

const DEFAULT_GRACE_MS = 10_000;

/**
 * Starts a program that may run for long, in a session and process group of its own. However this process ends, also by
 * SIGKILL, the program is stopped with `stopSignals` and at last with SIGKILL. The only way to start such a program here.
 */
export function startProgram(command: string[], options: ProgramOptions = {}): Program {
  const { cwd, env, stdio = ["ignore", "ignore", "ignore"] } = options;
  const { stopSignals = ["SIGTERM"], graceMs = DEFAULT_GRACE_MS } = options;
  const watching = watcherInput();
  const howToStop = `${stopSignals.join(",")} ${graceMs}`;
  const [file = "", ...args] = watching === undefined ? command : announced(command, stdio.length, howToStop);
  const child = spawn(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    detached: watching !== undefined,
    serialization: "advanced",
    stdio: watching === undefined ? stdio : [...stdio, watching],
  });
  const pid = child.pid ?? 0;
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    const end = (how: Ending) => {
      if (ending) return;
      ending = how;
      if (watching !== undefined && pid > 0) {
        sendSignal(-pid, "SIGKILL");
        takeBack(`start ${pid} ${howToStop}`, `end ${pid}`);
      }
      resolve(how);
    };
    child.once("error", (error) => pid === 0 && end({ code: null, signal: null, error }));
    child.once("exit", (code, signal) => end({ code, signal }));
  });
  if (watching !== undefined && pid > 0) hasBeenTold(`start ${pid} ${howToStop}`);
  const endsWithin = (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // Not waited for by a process that has nothing else to do.
    setTimeout(resolve, ms, false).unref();
    return Promise.race([ended.then(() => true), promise]);
  };
  const kill = async () => {
    if (ending === undefined) sendSignal(watching === undefined ? pid : -pid, "SIGKILL");
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
 * Runs a program to its end; what it printed on both streams. Like `startProgram`, it does not outlive this process. It is
 * stopped when `signal` is aborted.
 */
export async function runProgram(
  command: string[],
  { signal, ...options }: Omit<ProgramOptions, "stdio"> & { signal?: AbortSignal | undefined } = {},
) {
  const { child, ended, stop } = startProgram(command, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const abort = () => void stop();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const read = async (stream: NodeJS.ReadableStream | null) => {
    let text = "";
    for await (const chunk of stream ?? []) text += chunk;
    return text;
  };
  const [stdout, stderr, { code, error }] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  signal?.removeEventListener("abort", abort);
  return { code, stdout, stderr: error?.message ?? stderr };
}

/**
 * The command behind a shell that becomes it, having told the watcher its process id. The watcher's pipe is open until
 * then, so there is no moment at which the program runs and the watcher does not know it.
 */
function announced(command: string[], fd: number, howToStop: string): string[] {
  // In a subshell: should the watcher be dead, that one gets the SIGPIPE.
  const script = `(printf 'start %s %s\\n' $$ "$1" >&${fd}); shift; exec "$@" ${fd}>&-`;
  return ["/bin/sh", "-c", script, "sh", howToStop, ...command];
}
