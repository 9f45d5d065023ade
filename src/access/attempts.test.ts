import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { hash } from "@node-rs/argon2";
import { openPool } from "#db/client.ts";
import { patientGate } from "#test/edit-rounds.ts";
import { makeUser, PASSWORD } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { SIGN_IN } from "#test/paths.ts";
import { canPrepare, testDatabaseUrl, testPool } from "#test/transaction.ts";
import { createApp } from "../app/app.ts";
import { requestContext } from "../http/request-context.ts";
import { createPasswords } from "./passwords.ts";

const LIMITLESS = { SIGN_IN_FREE_FAILURES: "100", SIGN_IN_FAILURES_PER_ADDRESS: "1000" };

// Attempts race only on connections of their own.
const pool = openPool(testDatabaseUrl(), { size: 8, prepare: canPrepare() });
/** With admission control, which gives up the statements of clients that hung up. */
const gated = openPool(testDatabaseUrl(), {
  size: 2,
  prepare: canPrepare(),
  admission: { ...patientGate, context: () => requestContext.getStore() },
});
const userIds: string[] = [];
let addressCount = 0;
afterAll(async () => {
  await pool.sql`delete from users where id = any (${userIds})`;
  await Promise.all([pool.close(), gated.close()]);
});

/** The application as seen from an address of its own, and its clock. */
async function open(settings: Record<string, string> = {}, db = pool) {
  const address = `test-${process.pid}-${++addressCount}`;
  const clock = { nowMs: Date.now() };
  const api = await apiOn(db, {
    settings,
    nowMs: () => clock.nowMs,
    deps: { addressOf: () => address },
  });
  const enter = async () => {
    const user = await makeUser(api);
    userIds.push(user.id);
    return user;
  };
  return { api, clock, address, enter };
}

const signIn = (api: Api, { email }: { email: string }, password = PASSWORD) =>
  api.post(SIGN_IN, { body: { username: email, password } });
const guess = (api: Api, user: { email: string }) => signIn(api, user, "a wrong guess");
const many = (count: number, send: (at: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: count }, (_, at) => send(at)));
const statuses = (answers: Answer[]) => [...new Set(answers.map(({ status }) => status))].sort();
const countOf = async (key: string) => {
  const [row] = await pool.sql<{ count: number }[]>`select count from attempts where key = ${key}`;
  return row?.count ?? 0;
};

test("guesses whose counting waits for one another are all counted: no more are checked than the limit allows", async () => {
  const { api, address, enter } = await open({
    PASSWORD_QUEUE: "1000",
    SIGN_IN_FAILURES_PER_ADDRESS: "1000",
  });
  const user = await enter();
  expectStatus(await guess(api, user), 401);
  const connection = await pool.sql.reserve();
  try {
    await connection`begin`;
    const [row] =
      await connection`select pg_backend_pid() as pid from attempts where key = ${`address:${address}`} for update`;
    const guesses = many(20, () => guess(api, user));
    // Until our connections wait in a chain that begins at this one.
    for (let waiting = 0; waiting < 6; ) {
      const [chain] = await testPool().sql<{ waiting: number }[]>`
        with recursive blocked (pid) as (
          values (${row?.pid}::int)
          union select waits.pid from blocked, pg_stat_activity as waits where blocked.pid = any (pg_blocking_pids(waits.pid))
        ) select count(*)::int - 1 as waiting from blocked`;
      waiting = chain?.waiting ?? 0;
    }
    await connection`commit`;
    const answers = await guesses;
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(4);
    expect(statuses(answers)).toEqual([401, 429]);
  } finally {
    connection.release();
  }
});

test("a sign-in that is refused because the hashing queue is full does not count", async () => {
  const { api, address, enter } = await open({ PASSWORD_WORKERS: "1", PASSWORD_QUEUE: "0" });
  const user = await enter();
  let busy = 0;
  for (let round = 0; round < 10; round++) {
    const answers = await many(4, () => signIn(api, user));
    expect(statuses(answers).every((status) => status === 204 || status === 503)).toBe(true);
    busy += answers.filter(({ status }) => status === 503).length;
  }
  expect(busy).toBeGreaterThan(5);
  expect(await countOf(`address:${address}`)).toBe(0);
  expectStatus(await guess(api, user), 401);
  expect(await countOf(`address:${address}`)).toBe(1);
});

test("a correct password never blocks its address: not at the limit, and not when many sign in at once", async () => {
  const { api, address, enter } = await open({
    PASSWORD_QUEUE: "1000",
    SIGN_IN_FAILURES_PER_ADDRESS: "3",
  });
  const users = await Promise.all(Array.from({ length: 6 }, enter));
  for (let failure = 0; failure < 2; failure++)
    expectStatus(await guess(api, users[failure] as { email: string }), 401);
  for (const user of users) expectStatus(await signIn(api, user), 204);
  await pool.sql`delete from attempts where key = ${`address:${address}`}`;
  const answers = await many(6, (at) => signIn(api, users[at] as { email: string }));
  expect(statuses(answers)).toEqual([204]);
  for (const user of users) expectStatus(await signIn(api, user), 204);
});

test("concurrent sign-ins beyond the limit of failures wait for one another and succeed; concurrent guesses are counted", async () => {
  const { api, enter } = await open({ PASSWORD_QUEUE: "1000", SIGN_IN_FREE_FAILURES: "3" });
  const user = await enter();
  expect(statuses(await many(6, () => signIn(api, user)))).toEqual([204]);
  const guesses = await many(6, () => guess(api, user));
  expect(guesses.filter(({ status }) => status === 401)).toHaveLength(3);
  expect(statuses(guesses)).toEqual([401, 429]);
});

test("an attempt that one key refuses does not count under the others", async () => {
  const { api, address, clock, enter } = await open({
    SIGN_IN_FREE_FAILURES: "1",
    SIGN_IN_FAILURES_PER_ADDRESS: "3",
  });
  const [first, second, third, fourth] = [
    await enter(),
    await enter(),
    await enter(),
    await enter(),
  ];
  expectStatus(await guess(api, first), 401);
  // The account is blocked: its address has two attempts left.
  expect(statuses(await many(10, () => guess(api, first)))).toEqual([429]);
  expect(await countOf(`address:${address}`)).toBe(1);
  expectStatus(await guess(api, second), 401);
  expectStatus(await guess(api, third), 401);
  // The address is blocked: the account keeps all its attempts.
  expect(statuses(await many(10, () => guess(api, fourth)))).toEqual([429]);
  // A blocked address writes no counter for an account that does not exist.
  const email = `made-up-${address}@example.com`;
  expectStatus(await guess(api, { email }), 429);
  const key = `account:${createHash("sha256").update(email).digest("base64url")}`;
  expect(await pool.sql`select from attempts where key = ${key}`).toHaveLength(0);
  clock.nowMs += 3_601_000;
  expectStatus(await guess(api, fourth), 401);
});

test("a sign-up counts although its client hangs up while the password is hashed", async () => {
  let client = new AbortController();
  const hashAfterHangUp: typeof hash = (...given) => {
    client.abort();
    return hash(...given);
  };
  const { api, address } = await open({}, gated);
  const { fetch } = createApp({
    ...api.deps,
    passwords: createPasswords(api.deps.config, hashAfterHangUp),
  });
  for (const tries of [1, 2]) {
    client = new AbortController();
    const request = new Request("http://localhost/api/v1/access/signup", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        email: `${address}@example.com`,
        password: PASSWORD,
        confirmPassword: PASSWORD,
      }),
      signal: client.signal,
    });
    expect((await fetch(request)).status).toBe(499);
    expect(await countOf(`signup:${address}`)).toBe(tries);
  }
});

test("an address that has reached its limit is refused for an hour", async () => {
  const { api, enter } = await open({
    SIGN_IN_FREE_FAILURES: "1",
    SIGN_IN_FAILURES_PER_ADDRESS: "2",
  });
  const [first, second] = [await enter(), await enter()];
  for (const user of [first, second]) expectStatus(await guess(api, user), 401);
  const refused = await guess(api, await enter());
  expectProblem(refused, 429, "access.throttled");
  expect(refused.headers.get("retry-after")).toBe("3600");
});

test("a sign-in succeeds although rehashing its password fails", async () => {
  const { api, enter } = await open({
    ...LIMITLESS,
    PASSWORD_WORKERS: "1",
    PASSWORD_QUEUE: "1",
    PASSWORD_PASSES: "3",
  });
  const users = await Promise.all(Array.from({ length: 4 }, enter));
  const old = await createPasswords({ ...api.deps.config, PASSWORD_PASSES: 2 }).hash(PASSWORD);
  let signedIn = 0;
  for (let round = 0; round < 3; round++) {
    await pool.sql`update users set password_hash = ${old} where id = any (${users.map(({ id }) => id)})`;
    const answers = await many(12, async (at) => {
      // Staggered, so that the queue is full while the first ones rehash.
      await Bun.sleep(8 * at);
      return signIn(api, users[at % 4] as { email: string });
    });
    signedIn += answers.filter(({ status }) => status === 204).length;
  }
  const logins =
    await pool.sql`select from logins where user_id = any (${users.map(({ id }) => id)})`;
  expect(logins).toHaveLength(signedIn);
});
