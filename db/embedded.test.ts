import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
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
import { startCluster } from "./embedded.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-embedded-"));
chmodSync(dir, 0o711);
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const paths = { dataDir: join(dir, "data"), socketDir: join(dir, "run"), logFile: join(dir, "log") };

const postmasters = () =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(paths.dataDir);
    } catch {
      return false;
    }
  });

/** The children of one that was killed see that for themselves, in a moment; the test's own limit is for those that do not. */
async function untilNoneIsLeft() {
  while (postmasters().length > 0) await Bun.sleep(10);
}

test("a PostgreSQL that is stopped just after it was killed is not started again", async () => {
  for (const waitMs of [0, Math.random() * 200, 100 + Math.random() * 400]) {
    const cluster = await startCluster(paths, { durable: false });
    process.kill(cluster.pid() as number, "SIGKILL");
    await Bun.sleep(waitMs);
    await cluster.stop();
    await untilNoneIsLeft();
  }
});

test("a PostgreSQL that is killed is started again", async () => {
  const cluster = await startCluster(paths, { durable: false });
  const before = cluster.pid();
  process.kill(before as number, "SIGKILL");
  while (cluster.pid() === before || cluster.pid() === undefined) await Bun.sleep(10);
  await cluster.stop();
  await untilNoneIsLeft();
});

test("a log that has grown long is put aside when PostgreSQL starts, and is not read", async () => {
  const log = { ...paths, logFile: join(dir, "long-log") };
  writeFileSync(log.logFile, "");
  // Longer than any text can be.
  truncateSync(log.logFile, 5 * 2 ** 30);
  for (const _ of [1, 2]) {
    const cluster = await startCluster(log, { durable: false });
    await cluster.stop();
  }
  expect(statSync(`${log.logFile}.1`).size).toBe(5 * 2 ** 30);
  expect(readFileSync(log.logFile, "utf8")).toContain("database system is ready");
});
