import { expect, test } from "bun:test";
import { openStand } from "./testbed.ts";

test("a stand that is cooled has its data, serves again, and reads the disk for what it knew before", async () => {
  const stand = await openStand({ profile: "hdd" });
  try {
    const count = async () =>
      (await stand.db.sql`select sum(length(exercises::text)) from exercises`)[0]?.sum as string;
    const known = await count();
    const warm = stand.disk.counts().coldReads;
    await count();
    expect(stand.disk.counts().coldReads).toBe(warm);
    await stand.cool();
    const cool = stand.disk.counts().coldReads;
    expect(await count()).toBe(known);
    expect(stand.disk.counts().coldReads).toBeGreaterThan(cool);
    const answer = await fetch("http://localhost/health/ready", { unix: stand.server.socketPath });
    expect(answer.status).toBe(200);
  } finally {
    await stand.close();
  }
});

test("the disk of a stand is checked as its profile, and a real one is not taken for an emulated one", async () => {
  const stand = await openStand({ profile: "native" });
  try {
    const { profile, fdatasync, grouping, doubts } = await stand.checkDisk();
    expect([profile, doubts]).toEqual(["native", []]);
    expect(fdatasync.perSecond).toBeGreaterThan(0);
    expect(grouping.map(({ clients }) => clients)).toEqual([1, 8, 32]);
    const [left] = await stand.db
      .sql`select count(*)::int as tables from pg_tables where tablename = 'bench_commits'`;
    expect(left?.tables).toBe(0);
  } finally {
    await stand.close();
  }
});
