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
import { identify, isRunning } from "#lib/processes/known-process.ts";
import { startCluster } from "./embedded.ts";
import { readPidFile } from "./postmaster.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-embedded-"));
chmodSync(dir, 0o711);
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const paths = {
  dataDir: join(dir, "data"),
  socketDir: join(dir, "run"),
  logFile: join(dir, "log"),
};

/** Whether the postmaster named by the pid file still runs. */
function isLeftRunning(): boolean {
  const last = readPidFile(paths.dataDir);
  return last !== undefined && isRunning(identify(last.pid));
}

/** When to stop, after the postmaster was killed. */
const moments: Record<string, (before: string) => Promise<unknown>> = {
  "before it is started again": () => Bun.sleep(0),
  "while it is started again": async (before) => {
    // The restarted one has written its own pid file.
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

test("a cluster is created at once after a process was killed that was creating it, and nothing else is left", async () => {
  const own = join(dir, "twice");
  mkdirSync(own, { mode: 0o711 });
  const twice = {
    dataDir: join(own, "data"),
    socketDir: join(own, "run"),
    logFile: join(own, "log"),
  };
  const code = `import { startCluster } from "${import.meta.dir}/embedded.ts"; await startCluster(${JSON.stringify(twice)});`;
  const killed = spawn(process.execPath, ["-e", code], { cwd: import.meta.dir, stdio: "ignore" });
  // While it makes its first files.
  const begun = () => readdirSync(own, { recursive: true }).length > 10;
  while (!begun()) await Bun.sleep(1);
  killed.kill("SIGKILL");
  const cluster = await startCluster(twice, { durable: false });
  await cluster.stop();
  const left = () => readdirSync(own).sort();
  for (const deadline = Date.now() + 10_000; left().length > 3 && Date.now() < deadline; )
    await Bun.sleep(20);
  expect(left()).toEqual(["data", "log", "run"]);
});

test("a large log is rotated when PostgreSQL starts, without being read", async () => {
  const log = { ...paths, logFile: join(dir, "long-log") };
  writeFileSync(log.logFile, "");
  // Longer than a string can be.
  truncateSync(log.logFile, 5 * 2 ** 30);
  for (const _ of [1, 2]) {
    const cluster = await startCluster(log, { durable: false });
    await cluster.stop();
  }
  expect(statSync(`${log.logFile}.1`).size).toBe(5 * 2 ** 30);
  expect(readFileSync(log.logFile, "utf8")).toContain("database system is ready");
});
