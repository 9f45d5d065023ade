import { afterAll, beforeEach, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { testDatabaseUrl } from "#test/transaction.ts";
import type { AdmissionOptions } from "./admission.ts";
import { openPool, type Pool } from "./client.ts";
import type { AdmissionStats, RequestContext } from "./connection-queue.ts";
import { refusalOf } from "./errors.ts";

const contexts = new AsyncLocalStorage<RequestContext | undefined>();
const pools: Pool[] = [];
const sent: string[] = [];
beforeEach(() => {
  sent.length = 0;
});
afterAll(() => Promise.all(pools.map((pool) => pool.close(0))));

function open(
  size: number,
  limits: Partial<AdmissionOptions> = {},
): { db: Pool; stats: AdmissionStats } {
  const db = openPool(testDatabaseUrl(), {
    size,
    prepare: true,
    onStatement: (text) => void sent.push(text),
    admission: {
      context: () => contexts.getStore(),
      maxRequests: 1_000_000,
      maxQueued: 1_000_000,
      maxWaitMs: 10_000,
      maxRetries: 0,
      slowMs: 1_000_000,
      onSlow: () => {},
      ...limits,
    },
  });
  pools.push(db);
  return { db, stats: db.stats as AdmissionStats };
}

function makeRequest() {
  const controller = new AbortController();
  const request = { signal: controller.signal };
  const context: RequestContext = {
    requestId: "r",
    request,
    joiners: 0,
    poolMs: 0,
    databaseMs: 0,
    release: undefined,
  };
  return { context, disconnect: () => controller.abort() };
}

const outcome = (work: Promise<unknown>) => work.then(() => "answered", refusalOf);
/** Sends a statement for the request of `context`, and returns its outcome. */
const send = (db: Pool, context: RequestContext) =>
  contexts.run(context, () => outcome(db.sql`select 1`.execute()));

/** Holds `count` connections until the returned function is called. */
async function holdConnections(db: Pool, count: number): Promise<() => Promise<unknown>> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const starts: Promise<void>[] = [];
  const held = Array.from({ length: count }, () => {
    const started = Promise.withResolvers<void>();
    starts.push(started.promise);
    return db.transaction(async () => {
      started.resolve();
      await promise;
    });
  });
  await Promise.all(starts);
  return () => {
    resolve();
    return Promise.all(held);
  };
}

test("statements beyond the connections wait in a short queue, and the next is refused at once", async () => {
  const { db, stats } = open(2, { maxQueued: 3 });
  const releaseConnections = await holdConnections(db, 2);
  const sendAnother = () => send(db, makeRequest().context);
  const waiting = [sendAnother(), sendAnother(), sendAnother()];
  await Bun.sleep(0);
  expect(await sendAnother()).toBe("OVERLOADED");
  expect([stats.inUse, stats.waiting, stats.shed.queue_full]).toEqual([2, 3, 1]);
  await releaseConnections();
  expect(await Promise.all(waiting)).toEqual(["answered", "answered", "answered"]);
  expect([stats.inUse, stats.waiting]).toEqual([0, 0]);
});

test("no request waits longer than the limit for a connection, and the pool is intact afterwards", async () => {
  const { db, stats } = open(1, { maxWaitMs: 20 });
  const releaseConnections = await holdConnections(db, 1);
  const { context } = makeRequest();
  expect(await send(db, context)).toBe("OVERLOADED");
  expect(await contexts.run(context, () => outcome(db.transaction(async () => {})))).toBe(
    "OVERLOADED",
  );
  await releaseConnections();
  expect(await send(db, context)).toBe("answered");
  expect([stats.shed.waited_too_long, stats.inUse, stats.waiting]).toEqual([2, 0, 0]);
});

test("a limited number of requests uses the database at once; the process's own work is never refused", async () => {
  const { db, stats } = open(2, { maxRequests: 1, maxQueued: 0 });
  const first = makeRequest().context;
  expect(await send(db, first)).toBe("answered");
  const second = makeRequest().context;
  expect(await send(db, second)).toBe("OVERLOADED");
  expect(await send(db, first)).toBe("answered");
  expect(
    await Promise.all([4, 5, 6].map((n) => outcome(db.sql`select ${n}::int`.execute()))),
  ).toEqual(["answered", "answered", "answered"]);
  first.release?.();
  expect(await send(db, second)).toBe("answered");
  expect(stats.shed.too_many_requests).toBe(1);
});

test("a transaction whose client has disconnected sends nothing more and rolls back", async () => {
  const { db } = open(1);
  await db.sql`create temporary table written (n int)`;
  for (const moment of ["before a statement", "before the commit"]) {
    const { context, disconnect } = makeRequest();
    const work = contexts.run(context, () =>
      db.transaction(async (tx) => {
        await tx.sql`insert into written values (1)`;
        disconnect();
        if (moment === "before a statement") await tx.sql`insert into written values (2)`;
      }),
    );
    expect(await outcome(work)).toBe("CLIENT_GONE");
  }
  expect(sent.filter((text) => text.includes("values (2)"))).toEqual([]);
  expect([...(await db.sql`select n from written`)]).toEqual([]);
});

test("the queued statements of thousands of disconnected clients are never sent, and that of a live one is", async () => {
  const { db, stats } = open(2);
  const releaseConnections = await holdConnections(db, 2);
  const disconnecting = Array.from({ length: 3000 }, () => {
    const { context, disconnect } = makeRequest();
    const work = contexts.run(context, () => outcome(db.sql`select 'for a gone client'`.execute()));
    return { work, disconnect };
  });
  const live = contexts.run(makeRequest().context, async () =>
    outcome(db.sql`select 'for a live client'`.execute()),
  );
  await Bun.sleep(0);
  for (const { disconnect } of disconnecting) disconnect();
  await releaseConnections();
  expect(await live).toBe("answered");
  expect(new Set(await Promise.all(disconnecting.map(({ work }) => work)))).toEqual(
    new Set(["CLIENT_GONE"]),
  );
  expect(sent.filter((text) => text.includes("for a gone client"))).toEqual([]);
  expect([stats.abandoned, stats.inUse, stats.waiting]).toEqual([3000, 0, 0]);
});

test("drizzle's statements are subject to admission control too, and a fragment is not a statement", async () => {
  const { db, stats } = open(1);
  const { context, disconnect } = makeRequest();
  await contexts.run(context, async () => {
    await db.orm.execute("select 1");
    await db.sql`select ${db.sql`1`}`;
  });
  expect(stats.statement.counts.reduce((sum, count) => sum + count)).toBe(2);
  disconnect();
  expect(
    await contexts.run(context, () => outcome(Promise.resolve(db.orm.execute("select 2")))),
  ).toBe("CLIENT_GONE");
});

test("a slow statement is reported with its text and without its values", async () => {
  const slow: unknown[] = [];
  const { db } = open(1, {
    slowMs: -1,
    onSlow: (statement, _ms, requestId) => void slow.push([statement, requestId]),
  });
  await contexts.run(
    makeRequest().context,
    async () => void (await db.sql`select ${"canary"}::text as word`),
  );
  expect(slow.at(-1)).toEqual(["select $1::text as word", "r"]);
});
