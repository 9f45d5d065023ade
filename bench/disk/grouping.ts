import { openPool } from "#db/client.ts";
import type { OpenedDisk } from "./profiles.ts";

/** Group commit with a number of clients, each committing one transaction after the other. */
export type Grouping = {
  clients: number;
  commitsPerSecond: number;
  flushesPerSecond: number;
  commitsPerFlush: number;
};

/**
 * Measures group commit in the database of `url`, whose data is on `disk`, for `seconds` with each
 * number of clients. Leaves nothing in the database.
 */
export async function measureGrouping(
  url: string,
  disk: OpenedDisk,
  clients: number[],
  seconds: number,
): Promise<Grouping[]> {
  const groupings: Grouping[] = [];
  const db = openPool(url, { size: 1, prepare: false });
  await db.sql`create table bench_commits (n int)`;
  for (const count of clients) groupings.push(await measureClients(url, disk, count, seconds));
  await db.sql`drop table bench_commits`;
  await db.close();
  return groupings;
}

async function measureClients(
  url: string,
  disk: OpenedDisk,
  clients: number,
  seconds: number,
): Promise<Grouping> {
  const db = openPool(url, { size: clients, prepare: true });
  let commits = 0;
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      await db.sql`insert into bench_commits values (1)`;
      commits++;
    }
  };
  const loops = Array.from({ length: clients }, client);
  await Bun.sleep(500);
  const from = { commits, flushes: disk.counts().flushes, at: performance.now() };
  await Bun.sleep(seconds * 1000);
  const flushes = disk.counts().flushes - from.flushes;
  const committed = commits - from.commits;
  const elapsedS = (performance.now() - from.at) / 1000;
  isOver = true;
  await Promise.all(loops);
  await db.close();
  return {
    clients,
    commitsPerSecond: committed / elapsedS,
    flushesPerSecond: flushes / elapsedS,
    commitsPerFlush: committed / flushes,
  };
}
