import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { eventually } from "#test/eventually.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { directTestUrl } from "#test/transaction.ts";
import type { Log } from "../log/log.ts";
import { type Invalidations, openInvalidations, sendInvalidation } from "./invalidations.ts";

let database: OwnDatabase;
let direct: Pool;
let first: Member;
let second: Member;

/** A process with its own connections, the invalidations that it received, and its log messages. */
type Member = {
  invalidations: Invalidations;
  received: string[];
  logged: string[];
  stop(): Promise<void>;
};

beforeAll(async () => {
  database = await makeOwnDatabase();
  direct = openPool(directTestUrl(database.url), { size: 1, prepare: false });
  [first, second] = [await startMember(), await startMember()];
  // From the first settled row on, the list of processes is known to be complete.
  await eventually(
    async () => (await direct.sql`select from live_processes where is_settled`).length > 0,
  );
});
afterAll(async () => {
  await Promise.all([first.stop(), second.stop()]);
  await direct.close(0);
  await database.drop();
});

async function startMember({ hasCaches = true } = {}): Promise<Member> {
  const pool = openPool(directTestUrl(database.url), { size: 2, prepare: false });
  const [received, logged]: [string[], string[]] = [[], []];
  const write = (...args: unknown[]) => void logged.push(String(args.at(-1)));
  const log = { info: write, warn: write } as unknown as Pick<Log, "info" | "warn">;
  const invalidate = (invalidation: unknown) => void received.push(JSON.stringify(invalidation));
  const invalidations = await openInvalidations(pool, invalidate, { hasCaches, log });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= invalidations.close().then(() => pool.close()));
  return { invalidations, received, logged, stop };
}

const change = ({ invalidations }: Member, loginId: string) =>
  invalidations.publish({ loginId }, (invalidationMessage) =>
    sendInvalidation(database.pool, invalidationMessage),
  );

const closeListeners = () => direct.sql`
  select pg_terminate_backend(pid, 1000) from pg_stat_activity
  where query ilike 'listen%' and datname = current_database()`;

const LOST = "invalidations may be missed: the caches are not used until they arrive again";

test("changes are confirmed while the listening connections are closed repeatedly, and each loss is logged once", async () => {
  for (let round = 0; round < 10; round++) {
    await closeListeners();
    await change(first, `round ${round}`);
  }
  // On a machine that stalls for a second, some changes wait for leases to expire, but not all.
  expect(first.invalidations.stats.leaseWaits).toBeLessThan(10);
  for (const { invalidations, logged } of [first, second]) {
    await eventually(invalidations.isFresh);
    // Until invalidations arrive again, it is one loss.
    expect(invalidations.stats.losses).toBeGreaterThan(0);
    expect(logged.filter((line) => line === LOST).length).toBe(invalidations.stats.losses);
    expect(logged.at(-1)).toBe("invalidations arrive again");
  }
});

test("changes are confirmed while processes start and stop", async () => {
  const waitsBefore = first.invalidations.stats.leaseWaits;
  for (let round = 0; round < 5; round++) {
    const starting = startMember();
    for (let n = 0; n < 4; n++) await change(first, `beside a start ${round} ${n}`);
    const stopping = (await starting).stop();
    await change(first, `beside a stop ${round}`);
    await stopping;
  }
  expect(first.invalidations.stats.leaseWaits - waitsBefore).toBeLessThan(25);
});

test("while no heartbeat can be written, reconnects are rate-limited and count as one loss", async () => {
  const { losses } = second.invalidations.stats;
  const readOnly = async (value: "on" | "off") => {
    const name = direct.sql(new URL(database.url).pathname.slice(1));
    await direct.sql`set default_transaction_read_only = off`;
    await direct.sql`alter database ${name} set default_transaction_read_only = ${direct.sql.unsafe(value)}`;
    await direct.sql`
      select pg_terminate_backend(pid, 1000) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
  };
  await readOnly("on");
  const connections = new Set<number>();
  const end = performance.now() + 1000;
  while (performance.now() < end) {
    const listening = await direct.sql<{ pid: number }[]>`
      select pid from pg_stat_activity where query ilike 'listen%' and datname = current_database()`;
    for (const { pid } of listening) connections.add(pid);
    await Bun.sleep(5);
  }
  expect(first.invalidations.isFresh()).toBe(false);
  await readOnly("off");
  await eventually(() => first.invalidations.isFresh() && second.invalidations.isFresh());
  // One loss, and at most two more while read-only and writable connections exist side by side.
  expect(second.invalidations.stats.losses - losses).toBeLessThan(4);
  // Two members, at most four a second each; without the limit it is hundreds.
  expect(connections.size).toBeLessThan(25);
});

test("the row of a killed process is deleted whatever its clock said, and then delays no change", async () => {
  for (const seenAt of ["infinity", "now", "-infinity"]) {
    await direct.sql`insert into live_processes (id, seen_at) values (gen_random_uuid(), ${seenAt})`;
  }
  await change(first, "while it is there");
  await eventually(async () => (await direct.sql`select from live_processes`).length === 2);
  const waitsBefore = first.invalidations.stats.leaseWaits;
  for (let n = 0; n < 4; n++) await change(first, `afterwards ${n}`);
  expect(first.invalidations.stats.leaseWaits - waitsBefore).toBeLessThan(4);
});

test("a command is not listed, so no change waits for it, and its own changes are confirmed", async () => {
  const command = await startMember({ hasCaches: false });
  await eventually(async () => (await direct.sql`select from live_processes`).length === 2);
  const loginId = "changed by a command";
  await change(command, loginId);
  for (const { received } of [first, second])
    await eventually(() => received.includes(JSON.stringify({ loginId })));
  expect(command.invalidations.isFresh()).toBe(false);
  await command.stop();
});

test("a change that was rolled back waits for no confirmation", async () => {
  const waitsBefore = first.invalidations.stats.leaseWaits;
  const catalog = readCatalog();
  const seed = (dryRun: boolean) =>
    first.invalidations.publish({ catalog: true }, (invalidationMessage) =>
      seedCatalog(database.pool, catalog, { dryRun, invalidationMessage }),
    );
  await seed(true);
  expect(first.received.filter((text) => text.includes("catalog"))).toEqual([]);
  expect(first.invalidations.stats.leaseWaits).toBe(waitsBefore);
});
