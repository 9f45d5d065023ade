import { join } from "node:path";
import { type Program, startProgram } from "#lib/processes/programs.ts";
import { pinned } from "../hosts/pinning.ts";
import { cpuNsOf } from "../probes/cpu-time.ts";

/** A server process, pinned to its cores where the machine allows it, and its CPU time. */
export type ServerProcess = {
  pid: number;
  socketPath: string;
  cpuNs(): number;
  stop(): Promise<void>;
};

/** Longer than draining and writing a CPU profile take. */
const STOP_TIMEOUT_MS = 30_000;
const ROOT = join(import.meta.dir, "../..");

/**
 * Starts `bun <args>`, or `args` with another `runtime`, and waits until the Unix socket answers
 * /ping. `pins` is the command prefix that pins the process.
 */
export async function startServer(
  args: string[],
  socketPath: string,
  env: Record<string, string>,
  {
    runtime = process.execPath,
    pins = pinned("server"),
  }: { runtime?: string; pins?: string[] } = {},
): Promise<ServerProcess> {
  const server = startProgram([...pins, runtime, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    graceMs: STOP_TIMEOUT_MS,
  });
  let stderr = "";
  server.child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  await untilAnswers(server, socketPath, () => stderr);
  const { pid, stop } = server;
  return { pid, socketPath, cpuNs: () => cpuNsOf(pid), stop };
}

async function untilAnswers(server: Program, unix: string, stderr: () => string) {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (server.hasEnded()) throw new Error(`The server exited: ${stderr()}`);
    const answer = await fetch("http://localhost/ping", { unix }).catch(() => undefined);
    if (answer?.ok) return;
    await Bun.sleep(20);
  }
  await server.kill();
  throw new Error(`The server does not answer: ${stderr()}`);
}
