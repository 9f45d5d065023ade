import { expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Answer, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { canPrepare, testDatabaseUrl, testPool } from "#test/transaction.ts";
import { ok, type Reply } from "../http/reply.ts";
import { createIdempotency } from "./idempotency.ts";

test("of many requests with one key at once, one is done; the others wait for it or are answered as it was", async () => {
  const db = testPool();
  const api = await apiOn(db, { deps: { addressOf: () => null } });
  const { user, as } = await makeSignedIn(api);
  try {
    for (let round = 0; round < 5; round++) {
      const headers = { "idempotency-key": `key-${round}` };
      const body = { name: `Routine ${round}`, exercises: [] };
      const ask = () => api.post("/api/v1/routines", { as, body, headers });
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      const done = answers.filter(({ status }) => status === 201);
      expect(new Set(done.map(({ json }) => json.id)).size).toBe(1);
      const others = answers.filter(({ status }) => status !== 201);
      expect(others.map(({ json }) => json.code)).toEqual(
        others.map(() => "idempotency.in_flight"),
      );
      expect((await ask()).json.id).toBe(done[0]?.json.id);
      expect((await api.get("/api/v1/routines", { as })).json.total).toBe(round + 1);
    }
  } finally {
    await db.sql`delete from users where id = ${user.id}`;
  }
});

test("a request that fails after its retry took the key over does not free the key, and the work is done once", async () => {
  const db = openPool(testDatabaseUrl(), { size: 6, prepare: canPrepare() });
  const api = await apiOn(db, { deps: { addressOf: () => null } });
  const { user, as } = await makeSignedIn(api);
  const { sql } = db;
  const send = () =>
    api.post("/api/v1/routines", {
      as,
      body: { name: "Legs", exercises: [] },
      headers: { "idempotency-key": "key-1" },
    });
  const connection = await sql.reserve();
  /**
   * Waits until `blocker` blocks `count` requests, and returns their backends in the order in which
   * they began.
   */
  const waiting = async (count: number) => {
    for (;;) {
      const rows = await sql<{ pid: number }[]>`
        select pid from pg_stat_activity where ${blocker} = any (pg_blocking_pids(pid)) order by xact_start`;
      if (rows.length === count) return rows.map(({ pid }) => pid);
      await Bun.sleep(5);
    }
  };
  const [row] = await connection<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const blocker = row?.pid as number;
  try {
    await connection`begin`;
    await connection`insert into routines (owner_id, name) values (${user.id}, 'Legs')`;
    const first = send();
    const [firstPid] = await waiting(1);
    await sql`update idempotency_keys set started_at = started_at - interval '61 seconds' where user_id = ${user.id}`;
    const retry = send();
    await waiting(2);
    await sql`select pg_cancel_backend(${firstPid as number})`;
    expect((await first).status).toBe(503);
    expectProblem(await send(), 409, "idempotency.in_flight");
    await connection`rollback`;
    const done = await retry;
    expectStatus(done, 201);
    const replayed: Answer = await send();
    expect([replayed.json.id, replayed.headers.get("idempotency-replayed")]).toEqual([
      done.json.id,
      "true",
    ]);
    expect((await api.get("/api/v1/routines", { as })).json.total).toBe(1);
  } finally {
    await connection`rollback`;
    connection.release();
    await sql`delete from users where id = ${user.id}`;
    await db.close();
  }
});

test("the claim of a running request is renewed, so that a long request is not run a second time", async () => {
  const db = testPool();
  const api = await apiOn(db, { deps: { addressOf: () => null } });
  const { user } = await makeSignedIn(api);
  const deps = {
    db,
    secrets: [new Uint8Array(32)],
    renewalIntervalMs: 5,
    onFault: (error: unknown) => console.error(error),
  };
  const idempotently = createIdempotency(deps);
  const request = {
    userId: user.id,
    key: "key-1",
    method: "POST",
    url: "http://localhost/a",
    body: null,
  };
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const started = Promise.withResolvers<void>();
  const run = () => {
    started.resolve();
    return promise;
  };
  try {
    const first = idempotently(request, run);
    await started.promise;
    await db.sql`update idempotency_keys set started_at = started_at - interval '61 seconds' where user_id = ${user.id}`;
    for (let isRenewed = false; !isRenewed; ) {
      const [row] = await db.sql<{ isRenewed: boolean }[]>`
        select started_at > now() - interval '1 minute' as "isRenewed" from idempotency_keys where user_id = ${user.id}`;
      isRenewed = row?.isRenewed ?? false;
    }
    await expect(idempotently(request, run)).rejects.toThrow("under way");
    resolve(ok("done"));
    expect((await first).body).toBe('"done"');
    expect((await idempotently(request, run)).body).toBe('"done"');
  } finally {
    await db.sql`delete from users where id = ${user.id}`;
  }
});
