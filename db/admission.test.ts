import { afterAll, beforeEach, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { testDatabaseUrl } from "#test/transaction.ts";
import type { AdmissionOptions, AdmissionStats, RequestContext } from "./admission.ts";
import { openPool, type Pool } from "./client.ts";
import { refusalOf } from "./errors.ts";

const requestOptions = new AsyncLocalStorage<RequestContext | undefined>();
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
      context: () => requestOptions.getStore(),
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

function makeAsker() {
  const controller = new AbortController();
  const request = { signal: controller.signal };
  const context: RequestContext = {
    requestId: "r",
    request,
    joiners: 0,
    poolMs: 0,
    databaseMs: 0,
    leave: undefined,
  };
  return { context, leave: () => controller.abort() };
}

const outcome = (work: Promise<unknown>) => work.then(() => "answered", refusalOf);

/** Takes every connection until the function it returns is called. */
async function hold(db: Pool, count: number): Promise<() => Promise<unknown>> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun: Promise<void>[] = [];
  const held = Array.from({ length: count }, () => {
    const started = Promise.withResolvers<void>();
    begun.push(started.promise);
    return db.transaction(async () => {
      started.resolve();
      await promise;
    });
  });
  await Promise.all(begun);
  return () => {
    resolve();
    return Promise.all(held);
  };
}

test("statements beyond the connections wait in a short list, and the next is refused at once", async () => {
  const { db, stats } = open(2, { maxQueued: 3 });
  const letGo = await hold(db, 2);
  const ask = () =>
    requestOptions.run(makeAsker().context, () => outcome(db.sql`select 1`.execute()));
  const waiting = [ask(), ask(), ask()];
  await Bun.sleep(0);
  expect(await ask()).toBe("OVERLOADED");
  expect([stats.inUse, stats.waiting, stats.shed.queue_full]).toEqual([2, 3, 1]);
  await letGo();
  expect(await Promise.all(waiting)).toEqual(["answered", "answered", "answered"]);
  expect([stats.inUse, stats.waiting]).toEqual([0, 0]);
});

test("nobody waits longer than the limit for a connection, and the pool is whole afterwards", async () => {
  const { db, stats } = open(1, { maxWaitMs: 20 });
  const letGo = await hold(db, 1);
  const { context } = makeAsker();
  expect(await requestOptions.run(context, () => outcome(db.sql`select 1`.execute()))).toBe(
    "OVERLOADED",
  );
  expect(await requestOptions.run(context, () => outcome(db.transaction(async () => {})))).toBe(
    "OVERLOADED",
  );
  await letGo();
  expect(await requestOptions.run(context, () => outcome(db.sql`select 1`.execute()))).toBe(
    "answered",
  );
  expect([stats.shed.waited_too_long, stats.inUse, stats.waiting]).toEqual([2, 0, 0]);
});

test("so many requests use the database at once; the process's own work is never refused", async () => {
  const { db, stats } = open(2, { maxRequests: 1, maxQueued: 0 });
  const first = makeAsker().context;
  expect(await requestOptions.run(first, () => outcome(db.sql`select 1`.execute()))).toBe(
    "answered",
  );
  const second = makeAsker().context;
  expect(await requestOptions.run(second, () => outcome(db.sql`select 2`.execute()))).toBe(
    "OVERLOADED",
  );
  expect(await requestOptions.run(first, () => outcome(db.sql`select 3`.execute()))).toBe(
    "answered",
  );
  expect(
    await Promise.all([4, 5, 6].map((n) => outcome(db.sql`select ${n}::int`.execute()))),
  ).toEqual(["answered", "answered", "answered"]);
  first.leave?.();
  expect(await requestOptions.run(second, () => outcome(db.sql`select 7`.execute()))).toBe(
    "answered",
  );
  expect(stats.shed.too_many_requests).toBe(1);
});

test("a transaction whose client is gone sends nothing more and rolls back", async () => {
  const { db } = open(1);
  await db.sql`create temporary table written (n int)`;
  for (const at of ["before a statement", "before the commit"]) {
    const { context, leave } = makeAsker();
    const work = requestOptions.run(context, () =>
      db.transaction(async (tx) => {
        await tx.sql`insert into written values (1)`;
        leave();
        if (at === "before a statement") await tx.sql`insert into written values (2)`;
      }),
    );
    expect(await outcome(work)).toBe("CLIENT_GONE");
  }
  expect(sent.filter((text) => text.includes("values (2)"))).toEqual([]);
  expect([...(await db.sql`select n from written`)]).toEqual([]);
});

test("thousands of clients that go away cost no statement after they are gone, and leave a live one alone", async () => {
  const { db, stats } = open(2);
  const letGo = await hold(db, 2);
  const gone = Array.from({ length: 3000 }, () => {
    const { context, leave } = makeAsker();
    const work = requestOptions.run(context, () => outcome(db.sql`select 'for nobody'`.execute()));
    return { work, leave };
  });
  const live = requestOptions.run(makeAsker().context, async () =>
    outcome(db.sql`select 'for somebody'`.execute()),
  );
  await Bun.sleep(0);
  for (const { leave } of gone) leave();
  await letGo();
  expect(await live).toBe("answered");
  expect(new Set(await Promise.all(gone.map(({ work }) => work)))).toEqual(
    new Set(["CLIENT_GONE"]),
  );
  expect(sent.filter((text) => text.includes("for nobody"))).toEqual([]);
  expect([stats.abandoned, stats.inUse, stats.waiting]).toEqual([3000, 0, 0]);
});

test("drizzle's statements pass the gate too, and a fragment is no statement", async () => {
  const { db, stats } = open(1);
  const { context, leave } = makeAsker();
  await requestOptions.run(context, async () => {
    await db.orm.execute("select 1");
    await db.sql`select ${db.sql`1`}`;
  });
  expect(stats.statement.counts.reduce((sum, count) => sum + count)).toBe(2);
  leave();
  expect(
    await requestOptions.run(context, () => outcome(Promise.resolve(db.orm.execute("select 2")))),
  ).toBe("CLIENT_GONE");
});

test("a slow statement is told of with its text and without its values", async () => {
  const slow: unknown[] = [];
  const { db } = open(1, {
    slowMs: -1,
    onSlow: (statement, _ms, requestId) => void slow.push([statement, requestId]),
  });
  await requestOptions.run(
    makeAsker().context,
    async () => void (await db.sql`select ${"canary"}::text as word`),
  );
  expect(slow.at(-1)).toEqual(["select $1::text as word", "r"]);
});
