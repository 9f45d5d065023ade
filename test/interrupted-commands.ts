import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./launcher.ts";

const ROOT = join(import.meta.dir, "..");
const CLI = join(ROOT, "cli/main.ts");
/** The time limit for everything to end; workers finish their requests first. */
const END_TIMEOUT_MS = 60_000;

/** Commands that start servers and make directories, and run for longer than the test does. */
export const COMMANDS: Record<string, string[]> = {
  up: [process.execPath, CLI, "up"],
  test: [
    process.execPath,
    CLI,
    "test",
    "bench/figures/statistics.test.ts",
    "lib/processes/supervise.test.ts",
  ],
  counts: [process.execPath, join(ROOT, "bench/cli.ts"), "counts"],
  "bench counts": [process.execPath, CLI, "bench", "counts"],
  "bun bench": [process.execPath, "bench", "counts"],
  run: [
    process.execPath,
    join(ROOT, "bench/cli.ts"),
    "run",
    "http",
    "Ping",
    "--runs",
    "1",
    "--seconds",
    "5",
  ],
  topology: [process.execPath, CLI, "topology", "up"],
};

type Outcome = {
  wasRunning: boolean;
  code: number | null;
  output: string;
  processes: string[];
  directories: string[];
};

/**
 * Runs a command and sends it `signal`, after some milliseconds or when it has made its temporary
 * directory. Waits up to a minute, and returns the remaining processes and directories.
 */
export async function interruptCommand(
  command: string[],
  signal: NodeJS.Signals,
  when: number | "begun",
): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "early-"));
  chmodSync(directory, 0o711);
  // `bun bench` looks for bun itself.
  mkdirSync(join(directory, "bin"));
  symlinkSync(process.execPath, join(directory, "bin/bun"));
  const mark = `ENDED_EARLY=${crypto.randomUUID()}`;
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: `${join(directory, "bin")}:${process.env.PATH ?? ""}`,
      TMPDIR: directory,
      IRONTRACK_HOME: join(directory, "home"),
      PORT: await freePort(),
      [mark.split("=")[0] as string]: mark.split("=")[1] as string,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const wasRunning = await Promise.race([
    waitFor(when, directory).then(() => true),
    ended.then(() => false),
  ]);
  child.kill(signal);
  const code = await ended;
  const listLeftovers = () => ({
    processes: processesOf(mark, directory),
    directories: temporaryIn(directory),
  });
  const deadline = performance.now() + END_TIMEOUT_MS;
  while (
    Object.values(listLeftovers()).some(({ length }) => length > 0) &&
    performance.now() < deadline
  )
    await Bun.sleep(50);
  const leftovers = listLeftovers();
  if (leftovers.processes.length === 0) rmSync(directory, { recursive: true, force: true });
  return { wasRunning, code, output, ...leftovers };
}

async function waitFor(when: number | "begun", directory: string): Promise<void> {
  if (when !== "begun") return await Bun.sleep(when);
  while (temporaryIn(directory).length === 0) await Bun.sleep(20);
}

/** Finds processes by their environment, or by the directory in their arguments. */
function processesOf(mark: string, directory: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const [command = "", environment = ""] = ["cmdline", "environ"].map((name) =>
      readProc(`/proc/${pid}/${name}`),
    );
    return environment.includes(mark) || command.includes(directory)
      ? [`${pid} ${command.replaceAll("\0", " ")}`]
      : [];
  });
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const temporaryIn = (directory: string) =>
  readdirSync(directory).filter(
    (name) =>
      !["bin", "home"].includes(name) &&
      statSync(join(directory, name), { throwIfNoEntry: false })?.isDirectory(),
  );
