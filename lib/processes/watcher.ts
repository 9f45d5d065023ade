// The watcher: cleans up after the process that started it (its owner). The owner sends a line for
// each program that it starts and each directory that it makes. The pipe closes when the owner has
// ended, in whatever way; then the watcher stops the programs that are left, runs the scheduled
// commands and removes the directories.
import { spawnSync } from "node:child_process";
import { createReadStream, existsSync, rmSync } from "node:fs";
import { identify, isRunning, type ProcessIdentity, sendSignal } from "./process-identity.ts";

type Started = ProcessIdentity & { stopSignals: NodeJS.Signals[]; graceMs: number };

/** The pipe's file descriptor; the one after it closes when everything has ended. */
const INPUT = 3;
const POLL_MS = 10;

const programs = new Map<number, Started>();
const directories: string[] = [];
const commands = new Set<string>();

// An interrupt at a terminal, or of a whole session, must not reach the process that cleans up
// after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const)
  process.on(signal, () => {});

let rest = "";
for await (const chunk of createReadStream("", { fd: INPUT, encoding: "utf8" })) {
  const lines = `${rest}${chunk}`.split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) readLine(line);
}
// The latest first, because it may depend on earlier ones.
for (const program of [...programs.values()].reverse()) await end(program);
for (const command of commands) {
  const [program = "", ...args] = JSON.parse(command) as string[];
  spawnSync(program, args, { stdio: "ignore" });
}
for (const directory of directories) await remove(directory);
process.exit(0);

/** `startProgram`, `temporaryDirectory` and `runAtEnd` write these lines. */
function readLine(line: string) {
  const space = line.indexOf(" ");
  const verb = line.slice(0, space);
  const object = line.slice(space + 1);
  if (verb === "start") {
    const [pid, signals = "", graceMs] = object.split(" ");
    const stopSignals = signals.split(",") as NodeJS.Signals[];
    programs.set(Number(pid), { ...identify(Number(pid)), stopSignals, graceMs: Number(graceMs) });
  }
  if (verb === "end") programs.delete(Number(object));
  if (verb === "directory") directories.push(object);
  if (verb === "command") commands.add(object);
  if (verb === "cancel") commands.delete(object);
}

/** Stops a program as its owner would have, then kills the rest of its process group. */
async function end(started: Started) {
  for (const signal of started.stopSignals) {
    if (!isRunning(started)) break;
    sendSignal(started.pid, signal);
    for (let waitedMs = 0; isRunning(started) && waitedMs < started.graceMs; waitedMs += POLL_MS)
      await Bun.sleep(POLL_MS);
  }
  sendSignal(-started.pid, "SIGKILL");
  for (let waitedMs = 0; isRunning(started) && waitedMs < started.graceMs; waitedMs += POLL_MS)
    await Bun.sleep(POLL_MS);
}

/** Retries, because backends of a killed PostgreSQL may still write for a moment. */
async function remove(directory: string) {
  for (let tries = 0; tries < 50 && existsSync(directory); tries++) {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      await Bun.sleep(100);
    }
  }
}
