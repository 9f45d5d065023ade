import { afterAll, expect, test } from "bun:test";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { testConfig } from "#test/config.ts";
import { makeUser, signedIn } from "#test/fixtures.ts";
import { apiOn } from "#test/harness.ts";
import { ACCESS } from "#test/paths.ts";
import { openProcesses } from "#test/processes.ts";
import { canPrepare, testDatabaseUrl } from "#test/transaction.ts";
import { createTokens } from "../access/tokens.ts";

const ROUNDS = 2000;
const LANES = 8;
const dir = mkdtempSync(join(tmpdir(), "irontrack-revocations-"));
const processes = await openProcesses(dir, testDatabaseUrl());
const pool = openPool(testDatabaseUrl(), { size: 8, prepare: canPrepare() });
afterAll(async () => {
  processes.stop();
  await pool.close();
  rmSync(dir, { recursive: true, force: true });
});

/**
 * Every 25th round, either closes the listening connections of both processes or stops the
 * verifying process for a while.
 */
async function disturb(stopped: ChildProcess, round: number) {
  if (round % 25 !== 0) return;
  if (round % 50 === 0) {
    await pool.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where query ilike 'listen%' and datname = current_database()`;
    return;
  }
  stopped.kill("SIGSTOP");
  await Bun.sleep(Math.random() * 1500);
  stopped.kill("SIGCONT");
}

test(`a login that was revoked in one process is not accepted by another: 0 of ${ROUNDS}`, async () => {
  const [revoking, verifying] = [
    await processes.start("revoking"),
    await processes.start("verifying"),
  ];
  const api = await apiOn(pool, { deps: { tokens: createTokens(testConfig(), processes.keys) } });
  const user = await makeUser(api);
  const statusOf = async (as: string) => {
    const answer = await verifying.ask("GET", `${ACCESS}/me`, { as });
    await answer.bytes();
    return answer.status;
  };
  let isDone = false;
  // Busy clients fill and read the login cache of the verifying process all the while.
  const busy = Array.from({ length: LANES }, async () => {
    const as = await signedIn(api, user);
    while (!isDone) await statusOf(as);
  });
  let [accepted, revoked, done] = [0, 0, 0];
  const lane = async (first: number) => {
    for (let round = first; round < ROUNDS; round += LANES) {
      const as = await signedIn(api, user);
      await statusOf(as);
      const disturbance = disturb(verifying.child, round);
      // A request that fills the cache at the very moment of the revocation.
      const late = statusOf(as);
      const { status } = await revoking.ask("POST", `${ACCESS}/logout`, { as });
      const isRevoked = status === 204;
      if (isRevoked) revoked++;
      if (isRevoked && (await statusOf(as)) === 200) accepted++;
      await Promise.all([late, disturbance]);
      if (isRevoked && (await statusOf(as)) === 200) accepted++;
      done++;
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)));
  isDone = true;
  await Promise.all(busy);
  await pool.sql`delete from users where id = ${user.id}`;
  console.log(`${done} rounds, ${revoked} revoked, ${accepted} accepted afterwards`);
  expect(accepted).toBe(0);
  expect(revoked).toBeGreaterThan(ROUNDS * 0.95);
});
