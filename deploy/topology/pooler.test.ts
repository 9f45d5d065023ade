import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { startTestCluster, type TestCluster } from "#test/cluster.ts";
import { describeTopology } from "#test/topology.ts";
import { type Pooler, startPooler } from "./pooler.ts";

const CLIENTS = 40;

describeTopology("PgBouncer", () => {
  let server: TestCluster;
  let pooler: Pooler;
  beforeAll(async () => {
    server = await startTestCluster();
    pooler = await startPooler({
      directory: join(server.dir, "pooler"),
      postgresSocketDir: join(server.dir, "run"),
      user: "irontrack",
      password: "a password",
      runAs: server.cluster.runAs,
    });
  });
  afterAll(async () => {
    await pooler?.stop();
    await server?.stop();
  });

  test("pools transactions: more clients than server connections stay connected, and each gets a response", async () => {
    const { url, canPrepare: prepare } = pooler;
    const pools = Array.from({ length: CLIENTS }, () =>
      openPool(url("irontrack_test"), { size: 1, prepare }),
    );
    try {
      const ask = () =>
        Promise.all(
          pools.map(
            async ({ sql }) => (await sql`select pg_backend_pid() as pid`)[0]?.pid as number,
          ),
        );
      await ask();
      expect(new Set(await ask()).size).toBeLessThanOrEqual(16);
    } finally {
      await Promise.all(pools.map((pool) => pool.close(0)));
    }
  });

  test("with more concurrent statements than connections, each waits and gets its result", async () => {
    const { url, canPrepare: prepare } = pooler;
    const pool = openPool(url("irontrack_test"), { size: 4, prepare });
    try {
      for (let round = 0; round < 50; round++) {
        const asked = Array.from({ length: 200 }, async (_, at) => {
          const [row] =
            at % 3 ? await pool.sql`select ${at}::int as at` : await pool.sql`select 1 as at`;
          return row?.at;
        });
        expect(await Promise.all(asked)).toEqual(asked.map((_, at) => (at % 3 ? at : 1)));
      }
    } finally {
      await pool.close(0);
    }
  });
});

test("the PgBouncer of production has one [pgbouncer] section: a second one would reset all settings", () => {
  const read = (file: string) => readFileSync(join(import.meta.dir, "../pgbouncer", file), "utf8");
  const text = read("pgbouncer.ini").replaceAll(/^%include \/etc\/pgbouncer\/(.+)$/gm, (_, file) =>
    read(file),
  );
  expect(text.match(/^\[pgbouncer\]$/gm)).toHaveLength(1);
  expect(text.slice(text.indexOf("\n[pgbouncer]"))).toMatch(/^pool_mode = transaction$/m);
});
