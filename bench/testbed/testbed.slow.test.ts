import { expect, test } from "bun:test";
import { openTestBed } from "./testbed.ts";

test("a test bed that is cooled has its data, serves again, and reads the disk for what it knew before", async () => {
  const testBed = await openTestBed({ profile: "hdd" });
  try {
    const count = async () =>
      (await testBed.db.sql`select sum(length(exercises::text)) from exercises`)[0]?.sum as string;
    const known = await count();
    const warm = testBed.disk.counts().coldReads;
    await count();
    expect(testBed.disk.counts().coldReads).toBe(warm);
    await testBed.cool();
    const cool = testBed.disk.counts().coldReads;
    expect(await count()).toBe(known);
    expect(testBed.disk.counts().coldReads).toBeGreaterThan(cool);
    const answer = await fetch("http://localhost/health/ready", {
      unix: testBed.server.socketPath,
    });
    expect(answer.status).toBe(200);
  } finally {
    await testBed.close();
  }
});

test("the disk of a test bed is checked as its profile, and a real one is not taken for an emulated one", async () => {
  const testBed = await openTestBed({ profile: "native" });
  try {
    const { profile, fdatasync, grouping, doubts } = await testBed.checkDisk();
    expect([profile, doubts]).toEqual(["native", []]);
    expect(fdatasync.perSecond).toBeGreaterThan(0);
    expect(grouping.map(({ clients }) => clients)).toEqual([1, 8, 32]);
    const [left] = await testBed.db
      .sql`select count(*)::int as tables from pg_tables where tablename = 'bench_commits'`;
    expect(left?.tables).toBe(0);
  } finally {
    await testBed.close();
  }
});
