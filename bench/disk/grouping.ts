import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { startCluster } from "#db/embedded.ts";
import { QUIET } from "../stand.ts";
import { type Disk, openSpindle } from "./spindle.ts";

/** What committing costs with a number of clients, each with one transaction after the other. */
export type Grouping = { clients: number; flushesPerSecond: number; commitsPerFlush: number };

/** Measures group commit on an emulated disk, for `seconds` with each number of clients. */
export async function measureGrouping(disk: Disk, clients: number[], seconds: number): Promise<Grouping[]> {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-disk-"));
  const spindle = openSpindle(directory, disk);
  const cluster = await startCluster(
    { dataDir: join(directory, "data"), socketDir: join(directory, "run"), logFile: join(directory, "postgres.log") },
    { environment: spindle.environment, settings: QUIET },
  );
  try {
    const found: Grouping[] = [];
    for (const count of clients) {
      const db = openPool(cluster.url("postgres"), { size: count, prepare: true });
      await db.sql`create table if not exists commits (n int)`;
      let commits = 0;
      let isOver = false;
      const client = async () => {
        while (!isOver) {
          await db.sql`insert into commits values (1)`;
          commits++;
        }
      };
      const clients = Array.from({ length: count }, client);
      await Bun.sleep(500);
      const from = { commits, flushes: spindle.counts().flushes, at: performance.now() };
      await Bun.sleep(seconds * 1000);
      const flushes = spindle.counts().flushes - from.flushes;
      const elapsedS = (performance.now() - from.at) / 1000;
      found.push({
        clients: count,
        flushesPerSecond: flushes / elapsedS,
        commitsPerFlush: (commits - from.commits) / flushes,
      });
      isOver = true;
      await Promise.all(clients);
      await db.close();
    }
    return found;
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
