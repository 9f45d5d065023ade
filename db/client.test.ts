import { expect, test } from "bun:test";
import { directTestUrl, testDatabaseUrl } from "#test/transaction.ts";
import { connectPool, openPool } from "./client.ts";

test("connectPool opens all connections, fetches array types once, and later connections know them", async () => {
  const statements: string[] = [];
  const url = directTestUrl(testDatabaseUrl());
  const pool = openPool(url, {
    size: 3,
    prepare: false,
    onStatement: (statement) => statements.push(statement),
  });
  const killer = openPool(url, { size: 1, prepare: false });
  try {
    await connectPool(pool, 3);
    const pidOf = async () =>
      (await pool.sql<{ pid: number }[]>`select pg_backend_pid() as pid, pg_sleep(0.01)`)[0]
        ?.pid as number;
    const pids = await Promise.all([pidOf(), pidOf(), pidOf()]);
    expect(new Set(pids).size).toBe(3);
    for (const pid of pids) await killer.sql`select pg_terminate_backend(${pid}, 1000)`;
    // The pool notices a closed connection when it uses it, so each of the three may fail once.
    const retry = (): Promise<number> =>
      pidOf().catch(() => pidOf().catch(() => pidOf().catch(pidOf)));
    const later = await Promise.all([retry(), retry(), retry()]);
    expect(later.filter((pid) => pids.includes(pid))).toEqual([]);
    const [row] = await pool.sql`select ${["a", "b"]}::text[] as letters, array[1, 2] as numbers`;
    expect(row).toEqual({ letters: ["a", "b"], numbers: [1, 2] });
    expect(statements.filter((statement) => statement.includes("typarray"))).toHaveLength(1);
  } finally {
    await pool.close(0);
    await killer.close(0);
  }
});
