import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "#test/program.ts";
import { readyPids, whileSupervised } from "#test/supervised.ts";
import { databaseSettings } from "#test/transaction.ts";

const home = mkdtempSync(join(tmpdir(), "irontrack-workers-"));
const sockets = [1, 2].map((number) => join(home, `run/irontrack.${number}.sock`));
let said = "";
let supervisor: ChildProcess;

const [command, ...args] = program();
const serve = (workers: string, settings: Record<string, string> = {}) =>
  spawn(command, [...args, "serve", "--workers", workers], {
    env: {
      ...process.env,
      IRONTRACK_HOME: home,
      ...databaseSettings(),
      DRAIN_LINGER_S: "1",
      ...settings,
    },
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
  });
const ended = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve));

const until = (condition: () => boolean) => whileSupervised(supervisor, () => said, condition);
/**
 * Requests as a proxy does: over keep-alive connections, and from the next worker if one has no
 * socket.
 */
async function ping(): Promise<number> {
  for (const unix of sockets) {
    const answer = await fetch("http://localhost/ping", { unix }).catch(() => undefined);
    await answer?.text();
    if (answer) return answer.status;
  }
  return 0;
}

beforeAll(async () => {
  supervisor = serve("2", { LOG_LEVEL: "info" });
  const listen = (chunk: Buffer) => {
    said += chunk;
  };
  supervisor.stdout?.on("data", listen);
  supervisor.stderr?.on("data", listen);
  await until(() => said.includes("all workers are ready"));
});
afterAll(() => {
  supervisor.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

test("each worker answers on a socket of its own, which only its group may use", async () => {
  for (const unix of sockets) {
    expect(await (await fetch("http://localhost/ping", { unix })).text()).toBe("OK");
    expect(statSync(unix).mode & 0o777).toBe(0o660);
  }
});

test("a worker that is killed is restarted", async () => {
  const [victim] = readyPids(said);
  process.kill(victim as number, "SIGKILL");
  await until(() => readyPids(said).length === 3);
  expect(
    await Promise.all(
      sockets.map(async (unix) => (await fetch("http://localhost/ping", { unix })).status),
    ),
  ).toEqual([200, 200]);
});

test("SIGHUP replaces every worker, and no request fails meanwhile", async () => {
  const before = readyPids(said).slice(-2);
  let isOver = false;
  const statuses = new Map<number, number>();
  const client = async () => {
    while (!isOver) {
      const status = await ping();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  supervisor.kill("SIGHUP");
  await until(() => said.includes("the workers are replaced"));
  isOver = true;
  await clients;
  expect([...statuses.keys()]).toEqual([200]);
  expect(
    readyPids(said)
      .slice(-2)
      .filter((pid) => before.includes(pid)),
  ).toEqual([]);
});

test("SIGHUP with invalid settings, or with settings that no worker starts with, replaces no worker", async () => {
  const before = readyPids(said).slice(-2);
  const file = join(home, ".env");
  writeFileSync(file, "PORT=none\n");
  supervisor.kill("SIGHUP");
  await until(() => said.includes("the settings are invalid"));
  expect(said).toContain("PORT: must be a whole number");
  writeFileSync(file, "SOCKET_GROUP=no-such-group\n");
  supervisor.kill("SIGHUP");
  await until(
    () =>
      said.includes("the other workers are not replaced") && readyPids(said).at(-1) !== before[1],
  );
  expect(
    await Promise.all(
      sockets.map(async (unix) => (await fetch("http://localhost/ping", { unix })).status),
    ),
  ).toEqual([200, 200]);
  expect(() => process.kill(before[1] as number, 0)).not.toThrow();
  rmSync(file);
});

test("a second supervisor of the same home is refused, and names the first", async () => {
  const second = serve("2", { LOG_LEVEL: "info" });
  let line = "";
  for (const stream of [second.stdout, second.stderr])
    stream?.on("data", (chunk) => (line += chunk));
  expect(await ended(second)).toBe(1);
  expect(line).toBe(
    `irontrack: The workers of ${home} are already run by process ${supervisor.pid} (IRONTRACK_HOME)\n`,
  );
});

test("SIGTERM ends all workers and leaves no socket behind", async () => {
  const over = ended(supervisor);
  supervisor.kill("SIGTERM");
  expect(await over).toBe(0);
  expect(sockets.filter(existsSync)).toEqual([]);
  for (const pid of readyPids(said)) expect(() => process.kill(pid, 0)).toThrow();
});

test.each(["0", "65", "two", "1.5"])(
  "--workers %s is refused with a line that says the range",
  async (count) => {
    const child = serve(count);
    let line = "";
    child.stderr?.on("data", (chunk) => {
      line += chunk;
    });
    expect(await ended(child)).toBe(2);
    expect(line).toContain("whole number from 1 to 64");
  },
);

test("a supervisor gives up workers that cannot start, and says why", async () => {
  const child = serve("1", { SOCKET_GROUP: "no-such-group" });
  let line = "";
  child.stderr?.on("data", (chunk) => {
    line += chunk;
  });
  expect(await ended(child)).toBe(1);
  expect(line).toContain("There is no group no-such-group (SOCKET_GROUP)");
  expect(line).toContain("6 workers exited before any of them answered");
});

test("workers end when their supervisor is killed", async () => {
  said = "";
  supervisor = serve("2", { LOG_LEVEL: "info" });
  supervisor.stdout?.on("data", (chunk) => {
    said += chunk;
  });
  await until(() => said.includes("all workers are ready"));
  const pids = readyPids(said);
  expect(pids.length).toBe(2);
  supervisor.kill("SIGKILL");
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  for (const deadline = Date.now() + 20_000; pids.some(isAlive) && Date.now() < deadline; )
    await Bun.sleep(50);
  expect(pids.filter(isAlive)).toEqual([]);
});
