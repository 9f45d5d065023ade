import { expect, test } from "bun:test";
import { directTestUrl, testDatabaseUrl } from "#test/transaction.ts";
import { openPool } from "./client.ts";

test("a transaction whose connection is gone fails, and neither ends the process nor keeps its place", async () => {
  const url = directTestUrl(testDatabaseUrl());
  const pool = openPool(url, { size: 1, prepare: false });
  const killer = openPool(url, { size: 1, prepare: false });
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  process.on("uncaughtException", note);
  try {
    const lost = pool.transaction(async (tx) => {
      const [own] = await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await killer.sql`select pg_terminate_backend(${own?.pid as number}, 1000)`;
      // The driver has heard of it by now.
      await Bun.sleep(20);
      await tx.sql`select 1`;
    });
    expect(await lost.catch((error) => error)).toBeInstanceOf(Error);
    await Bun.sleep(20);
    expect(uncaught).toEqual([]);
    expect(await pool.sql`select 1 as one`).toEqual([{ one: 1 }] as never);
  } finally {
    process.off("uncaughtException", note);
    await pool.close(0);
    await killer.close(0);
  }
}, 10_000);
