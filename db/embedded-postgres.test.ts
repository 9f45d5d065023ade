import { afterAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isRunning } from "#lib/processes/process-identity.ts";
import { startCluster } from "./embedded-postgres.ts";
import { readPidFile } from "./postmaster.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-embedded-"));
chmodSync(dir, 0o711);
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const paths = {
  dataDir: join(dir, "data"),
  socketDir: join(dir, "run"),
  logFile: join(dir, "log"),
};

/** Whether the postmaster in the pid file is still running. */
function isLeftRunning(): boolean {
  const server = readPidFile(paths.dataDir);
  return server !== undefined && isRunning(identify(server.pid));
}

/** Waits after the postmaster was killed, until the moment to stop. */
const moments: Record<string, (before: string) => Promise<unknown>> = {
  "before it is restarted": () => Bun.sleep(0),
  "while it is restarted": async (before) => {
    // Until the restarted one has written its pid file.
    for (let pid = before; pid === before; pid = String(readPidFile(paths.dataDir)?.pid ?? before))
      await Bun.sleep(1);
  },
  "at any moment": () => Bun.sleep(Math.random() * 500),
};

test.each(Object.keys(moments))(
  "a PostgreSQL that was killed, and is stopped %s, is not left running",
  async (moment) => {
    const cluster = await startCluster(paths, { durable: false });
    const before = String(cluster.pid());
    process.kill(Number(before), "SIGKILL");
    await moments[moment]?.(before);
    await cluster.stop();
    expect(isLeftRunning()).toBe(false);
  },
);

test("a PostgreSQL that is killed is restarted", async () => {
  const cluster = await startCluster(paths, { durable: false });
  const before = cluster.pid();
  process.kill(before as number, "SIGKILL");
  while (cluster.pid() === before || cluster.pid() === undefined) await Bun.sleep(10);
  await cluster.stop();
  expect(isLeftRunning()).toBe(false);
});

test("a cluster can be created right after the process that was creating it was killed, and no leftovers remain", async () => {
  const own = join(dir, "interrupted");
  mkdirSync(own, { mode: 0o711 });
  const interrupted = {
    dataDir: join(own, "data"),
    socketDir: join(own, "run"),
    logFile: join(own, "log"),
  };
  const code = `import { startCluster } from "${import.meta.dir}/embedded-postgres.ts"; await startCluster(${JSON.stringify(interrupted)});`;
  const killed = spawn(process.execPath, ["-e", code], { cwd: import.meta.dir, stdio: "ignore" });
  // Kill it while it creates its first files.
  const hasBegun = () => readdirSync(own, { recursive: true }).length > 10;
  while (!hasBegun()) await Bun.sleep(1);
  killed.kill("SIGKILL");
  const cluster = await startCluster(interrupted, { durable: false });
  await cluster.stop();
  const entries = () => readdirSync(own).sort();
  for (const deadline = Date.now() + 10_000; entries().length > 3 && Date.now() < deadline; )
    await Bun.sleep(20);
  expect(entries()).toEqual(["data", "log", "run"]);
});

test("a large log is rotated when PostgreSQL starts, without being read", async () => {
  const log = { ...paths, logFile: join(dir, "long-log") };
  writeFileSync(log.logFile, "");
  // Larger than the longest possible string.
  truncateSync(log.logFile, 5 * 2 ** 30);
  for (const _ of [1, 2]) {
    const cluster = await startCluster(log, { durable: false });
    await cluster.stop();
  }
  expect(statSync(`${log.logFile}.1`).size).toBe(5 * 2 ** 30);
  expect(readFileSync(log.logFile, "utf8")).toContain("database system is ready");
});
