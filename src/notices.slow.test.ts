import { afterAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { apiOn, testConfig } from "#test/harness.ts";
import { makeUser, signedIn } from "#test/make.ts";
import { testDatabaseUrl } from "#test/transaction.ts";
import { generateKey, readKeys } from "./access/keys.ts";
import { createTokens } from "./access/tokens.ts";

const ROUNDS = 2000;
const LANES = 8;
const root = join(import.meta.dir, "..");
const dir = mkdtempSync(join(tmpdir(), "irontrack-revocations-"));
const jwk = await generateKey();
const pool = openPool(testDatabaseUrl(), { size: 8, prepare: true });
const processes: ChildProcess[] = [];
afterAll(async () => {
  for (const child of processes) child.kill("SIGKILL");
  await pool.close();
  rmSync(dir, { recursive: true, force: true });
});

/** A process of the real application on the database of the test run. */
async function startProcess(name: string) {
  const unix = join(dir, `${name}.sock`);
  const child = spawn(process.execPath, ["src/cli.ts", "serve"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env.PATH ?? "",
      DATABASE_URL: testDatabaseUrl(),
      IRONTRACK_HOME: join(dir, name),
      SOCKET_PATH: unix,
      HOST: "",
      LOG_LEVEL: "error",
      JWT_PRIVATE_KEYS: JSON.stringify([jwk]),
    },
  });
  processes.push(child);
  const ask = (method: string, path: string, cookie: string) =>
    fetch(`http://localhost/api/v1/access/${path}`, { unix, method, headers: { cookie } });
  for (let tries = 0; tries < 500; tries++) {
    const answer = await fetch("http://localhost/health/ready", { unix }).catch(() => undefined);
    if (answer?.ok) return { child, ask };
    await Bun.sleep(20);
  }
  throw new Error(`${name} does not answer`);
}

/** One of: the listening connections of both cut, the asked process stopped for a while, nothing. */
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

test(`a login that was ended in one process is not accepted in another: 0 of ${ROUNDS}`, async () => {
  const [ending, asked] = [await startProcess("ending"), await startProcess("asked")];
  const api = await apiOn(pool);
  const keys = await readKeys(JSON.stringify([jwk]), "test");
  api.deps.tokens = createTokens(testConfig(), keys);
  const user = await makeUser(api);
  let isOver = false;
  // Busy clients fill and read the memory of the asked process all the while.
  const busy = Array.from({ length: LANES }, async () => {
    const as = await signedIn(api, user);
    while (!isOver) await asked.ask("GET", "me", as).then((answer) => answer.text());
  });
  let [accepted, ended, done] = [0, 0, 0];
  const lane = async (first: number) => {
    for (let round = first; round < ROUNDS; round += LANES) {
      const as = await signedIn(api, user);
      await asked.ask("GET", "me", as);
      const disturbance = disturb(asked.child, round);
      // Somebody fills the memory at the very moment of the revocation.
      const late = asked.ask("GET", "me", as);
      const { status } = await ending.ask("POST", "logout", as);
      if (status === 204) ended++;
      if (status === 204 && (await asked.ask("GET", "me", as)).status === 200) accepted++;
      await Promise.all([late, disturbance]);
      if (status === 204 && (await asked.ask("GET", "me", as)).status === 200) accepted++;
      done++;
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)));
  isOver = true;
  await Promise.all(busy);
  await pool.sql`delete from users where id = ${user.id}`;
  console.log(`${done} rounds, ${ended} ended, ${accepted} accepted afterwards`);
  expect(accepted).toBe(0);
  expect(ended).toBeGreaterThan(ROUNDS * 0.95);
});
