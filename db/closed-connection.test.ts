import { expect, test } from "bun:test";
import { directTestUrl, testDatabaseUrl } from "#test/transaction.ts";
import { openPool, type Pool } from "./client.ts";

const SENT_AFTER = 200;

/** Runs `work` with two pools of one connection each, and fails on any uncaught exception. */
async function withKiller(work: (pool: Pool, killer: Pool) => Promise<void>) {
  const url = directTestUrl(testDatabaseUrl());
  const pool = openPool(url, { size: 1, prepare: false });
  const killer = openPool(url, { size: 1, prepare: false });
  const uncaught: unknown[] = [];
  const record = (error: unknown) => void uncaught.push(error);
  process.on("uncaughtException", record);
  try {
    await work(pool, killer);
    await Bun.sleep(20);
    expect(uncaught).toEqual([]);
    expect(await pool.sql`select 1 as one`).toEqual([{ one: 1 }] as never);
  } finally {
    process.off("uncaughtException", record);
    await pool.close(0);
    await killer.close(0);
  }
}

test("a transaction whose connection is lost fails, does not end the process, and frees its slot in the pool", () =>
  withKiller(async (pool, killer) => {
    const lost = pool.transaction(async (tx) => {
      const [own] = await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await killer.sql`select pg_terminate_backend(${own?.pid as number}, 10000)`;
      // Until the driver has noticed it.
      await Bun.sleep(20);
      await tx.sql`select 1`;
    });
    expect(await lost.catch((error) => error)).toBeInstanceOf(Error);
  }));

test("statements that are sent while their connection closes all fail, and the next connection is clean", () =>
  withKiller(async (pool, killer) => {
    const sent: Promise<unknown>[] = [];
    // For the pool, the transaction ends with its connection; the function that sends the
    // statements continues.
    const allSent = Promise.withResolvers<void>();
    const lost = pool.transaction(async (tx) => {
      const [own] = await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      let isKilled = false;
      const killed = killer.sql`select pg_terminate_backend(${own?.pid as number}, 10000)`.then(
        () => {
          isKilled = true;
        },
      );
      // Before, while and after the connection closes.
      for (let sentAfter = 0; sentAfter < SENT_AFTER; sentAfter += isKilled ? 1 : 0) {
        sent.push(
          tx.sql`select 1`.then(
            () => "done",
            (error) => error,
          ),
        );
        await new Promise(setImmediate);
      }
      await killed;
      allSent.resolve();
    });
    expect(await lost.catch((error) => error)).toBeInstanceOf(Error);
    await allSent.promise;
    const results = await Promise.all(sent);
    expect(results.at(-1)).toBeInstanceOf(Error);
    expect(results.length).toBeGreaterThan(5);
  }));

test("a transaction that has lost its connection sends nothing more, even after the pool has reconnected", () =>
  withKiller(async (pool, killer) => {
    const late = Promise.withResolvers<unknown>();
    const lost = pool.transaction(async (tx) => {
      const [own] = await tx.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await killer.sql`select pg_terminate_backend(${own?.pid as number}, 10000)`;
      await pool.sql`select 1`;
      await tx.sql`select 1`.then(
        () => late.resolve("done outside of any transaction"),
        late.resolve,
      );
    });
    expect(await lost.catch((error) => error)).toBeInstanceOf(Error);
    expect(await late.promise).toBeInstanceOf(Error);
  }));
