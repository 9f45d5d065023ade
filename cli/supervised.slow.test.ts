import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "#test/program.ts";
import { readyPids, whileSupervised } from "#test/supervised.ts";
import { databaseSettings } from "#test/transaction.ts";

let home: string;
let supervisor: ChildProcess;
let said: string;
const [command, ...args] = program();
const sockets = () => [1, 2].map((number) => join(home, `run/irontrack.${number}.sock`));

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "irontrack-supervised-"));
  said = "";
  supervisor = spawn(command, [...args, "serve", "--workers", "2"], {
    env: { PATH: process.env.PATH ?? "", IRONTRACK_HOME: home, ...databaseSettings(), ...SETTINGS },
    cwd: home,
    stdio: ["ignore", "pipe", "inherit"],
  });
  supervisor.stdout?.on("data", (chunk) => {
    said += chunk;
  });
  await until(() => said.includes("all workers are ready"));
});
afterEach(() => {
  supervisor.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

const SETTINGS = { LOG_LEVEL: "info", DRAIN_LINGER_S: "0", DRAIN_TIMEOUT_S: "1" };
const ended = () => new Promise((resolve) => supervisor.once("exit", resolve));
const statusOf = (unix: string) =>
  fetch("http://localhost/ping", {
    unix,
    keepalive: false,
    signal: AbortSignal.timeout(2000),
  }).then(
    ({ status }) => status,
    () => 0,
  );
const until = (condition: () => boolean) => whileSupervised(supervisor, () => said, condition);
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a worker that hangs is replaced, and the healthy one stays", async () => {
  const [hung, healthy] = readyPids(said) as [number, number];
  process.kill(hung, "SIGSTOP");
  await until(() => readyPids(said).length === 3);
  expect(isAlive(hung)).toBe(false);
  expect(isAlive(healthy)).toBe(true);
  expect(await Promise.all(sockets().map(statusOf))).toEqual([200, 200]);
});

test("a supervisor stops on SIGTERM even if a worker hangs", async () => {
  const pids = readyPids(said);
  process.kill(pids[0] as number, "SIGSTOP");
  const over = ended();
  supervisor.kill("SIGTERM");
  expect(await over).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
});

test("a hung worker ends after its supervisor was killed", async () => {
  const pids = readyPids(said);
  process.kill(pids[0] as number, "SIGSTOP");
  supervisor.kill("SIGKILL");
  for (let tries = 0; pids.some(isAlive) && tries < 1000; tries++) await Bun.sleep(50);
  expect(pids.filter(isAlive)).toEqual([]);
});

test("a worker whose socket was removed is replaced", async () => {
  rmSync(sockets()[0] as string);
  await until(() => readyPids(said).length === 3);
  expect(sockets().map(existsSync)).toEqual([true, true]);
  expect(await Promise.all(sockets().map(statusOf))).toEqual([200, 200]);
});

test("SIGHUPs that arrive while the workers are replaced cause one more replacement", async () => {
  const count = (what: string) => said.split(what).length - 1;
  const before = { begun: count("replacing the workers"), done: count("the workers are replaced") };
  for (let times = 0; times < 5; times++) {
    supervisor.kill("SIGHUP");
    await until(() => count("replacing the workers") > before.begun);
    // Simultaneous signals are coalesced.
    await Bun.sleep(20);
  }
  await until(() => count("the workers are replaced") === before.done + 2);
  // A third would have begun by now.
  await Bun.sleep(500);
  expect(count("replacing the workers")).toBe(before.begun + 2);
});
