import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { testConfig } from "#test/config.ts";
import { makeUser, signedIn } from "#test/fixtures.ts";
import { apiOn } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { ACCESS } from "#test/paths.ts";
import { openProcesses, type Processes, type ServingProcess } from "#test/processes.ts";
import { directTestUrl } from "#test/transaction.ts";
import { createTokens } from "../access/tokens.ts";

const LOGINS = 50;
const dir = mkdtempSync(join(tmpdir(), "irontrack-revocations-"));
let database: OwnDatabase;
let direct: Pool;
let processes: Processes;
let revoking: ServingProcess;
let verifying: ServingProcess;

beforeAll(async () => {
  database = await makeOwnDatabase();
  direct = openPool(directTestUrl(database.url), { size: 1, prepare: false });
  processes = await openProcesses(dir, database.url);
  [revoking, verifying] = await Promise.all([
    processes.start("revoking"),
    processes.start("verifying"),
  ]);
});
afterAll(async () => {
  processes.stop();
  await direct.close(0);
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

/** The process ids of the listening backends. */
async function listListeners() {
  const rows = await direct.sql<{ pid: number }[]>`
    select pid from pg_stat_activity where query ilike 'listen%' and datname = current_database()`;
  return rows.map(({ pid }) => pid);
}

/** Stops the listening backends, so that messages are delayed while no connection is lost. */
async function withoutDelivery(work: () => Promise<void>) {
  const pids = await listListeners();
  expect(pids).toHaveLength(2);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    await work();
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
}

/** Waits until both processes serve from their caches. */
async function untilCached() {
  for (const name of ["revoking", "verifying"]) {
    const unix = join(dir, `${name}.sock`);
    const cacheStatus = async () => {
      const answer = await fetch("http://localhost/health", { unix });
      return ((await answer.json()) as { cache_status: string }).cache_status;
    };
    while ((await cacheStatus()) !== "online") await Bun.sleep(20);
  }
  while ((await direct.sql`select from live_processes where is_settled`).length < 2)
    await Bun.sleep(20);
}

const statusOf = async (as: string) => (await verifying.ask("GET", `${ACCESS}/me`, { as })).status;

test.each([
  { state: "intact", disturb: async () => {} },
  { state: "emptied", disturb: () => direct.sql`truncate live_processes` },
])(
  `while no message arrives and the list of processes is $state, none of ${LOGINS} logins that were revoked in one process is accepted by another`,
  async ({ disturb }) => {
    const api = await apiOn(database.pool, {
      deps: { tokens: createTokens(testConfig(), processes.keys) },
    });
    const user = await makeUser(api);
    const cookies = await Promise.all(Array.from({ length: LOGINS }, () => signedIn(api, user)));
    const accepted: number[] = [];
    await untilCached();
    await withoutDelivery(async () => {
      expect(new Set(await Promise.all(cookies.map(statusOf)))).toEqual(new Set([200]));
      await disturb();
      await Promise.all(
        cookies.map(async (as) => {
          expect((await revoking.ask("POST", `${ACCESS}/logout`, { as })).status).toBe(204);
          accepted.push(await statusOf(as));
        }),
      );
    });
    expect(accepted.filter((status) => status !== 401)).toEqual([]);
  },
);
