import { expect, test } from "bun:test";
import { openTestBed } from "./testbed.ts";

test("after a cold restart the data is there, the application serves, and reads go to the disk", async () => {
  const testBed = await openTestBed({ profile: "hdd" });
  try {
    const count = async () =>
      (await testBed.db.sql`select sum(length(exercises::text)) from exercises`)[0]?.sum as string;
    const cached = await count();
    const warm = testBed.disk.counts().coldReads;
    await count();
    expect(testBed.disk.counts().coldReads).toBe(warm);
    await testBed.restartCold();
    const coldReads = testBed.disk.counts().coldReads;
    expect(await count()).toBe(cached);
    expect(testBed.disk.counts().coldReads).toBeGreaterThan(coldReads);
    const answer = await fetch("http://localhost/health/ready", {
      unix: testBed.server.socketPath,
    });
    expect(answer.status).toBe(200);
  } finally {
    await testBed.close();
  }
});

test("a disk is checked against its profile, and a real disk passes as a real one", async () => {
  const testBed = await openTestBed({ profile: "native" });
  try {
    const { profile, fdatasync, grouping, doubts } = await testBed.checkDisk();
    expect([profile, doubts]).toEqual(["native", []]);
    expect(fdatasync.perSecond).toBeGreaterThan(0);
    expect(grouping.map(({ clients }) => clients)).toEqual([1, 8, 32]);
    const [remaining] = await testBed.db
      .sql`select count(*)::int as tables from pg_tables where tablename = 'bench_commits'`;
    expect(remaining?.tables).toBe(0);
  } finally {
    await testBed.close();
  }
});
