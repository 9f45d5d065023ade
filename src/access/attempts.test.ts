import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { hash } from "@node-rs/argon2";
import { openPool } from "#db/client.ts";
import { patientAdmission } from "#test/edit-rounds.ts";
import { makeUser, PASSWORD } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { SIGN_IN } from "#test/paths.ts";
import { canPrepare, testDatabaseUrl, testPool } from "#test/transaction.ts";
import { createApp } from "../app/app.ts";
import { requestContext } from "../http/request-context.ts";
import { createPasswords } from "./passwords.ts";

const HIGH_LIMITS = { SIGN_IN_FREE_FAILURES: "100", SIGN_IN_FAILURES_PER_ADDRESS: "1000" };

// Attempts race only on separate connections.
const pool = openPool(testDatabaseUrl(), { size: 8, prepare: canPrepare() });
/** With admission control, which abandons the statements of clients that hung up. */
const admitting = openPool(testDatabaseUrl(), {
  size: 2,
  prepare: canPrepare(),
  admission: { ...patientAdmission, context: () => requestContext.getStore() },
});
const userIds: string[] = [];
let addressCount = 0;
afterAll(async () => {
  await pool.sql`delete from users where id = any (${userIds})`;
  await Promise.all([pool.close(), admitting.close()]);
});

/** The application as clients of a new address use it, and its clock. */
async function open(settings: Record<string, string> = {}, db = pool) {
  const address = `test-${process.pid}-${++addressCount}`;
  const clock = { nowMs: Date.now() };
  const api = await apiOn(db, {
    settings,
    nowMs: () => clock.nowMs,
    deps: { addressOf: () => address },
  });
  const createUser = async () => {
    const user = await makeUser(api);
    userIds.push(user.id);
    return user;
  };
  return { api, clock, address, createUser };
}

type User = { id: string; email: string };

const signIn = (api: Api, { email }: { email: string }, password = PASSWORD) =>
  api.post(SIGN_IN, { body: { username: email, password } });
const guess = (api: Api, user: { email: string }) => signIn(api, user, "a wrong guess");
const concurrently = (count: number, send: (index: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: count }, (_, index) => send(index)));
const statuses = (answers: Answer[]) => [...new Set(answers.map(({ status }) => status))].sort();
const countOf = async (key: string) => {
  const [row] = await pool.sql<{ count: number }[]>`select count from attempts where key = ${key}`;
  return row?.count ?? 0;
};

test("guesses that wait for each other to be counted are all counted: no more are checked than the limit allows", async () => {
  const { api, address, createUser } = await open({
    PASSWORD_QUEUE: "1000",
    SIGN_IN_FAILURES_PER_ADDRESS: "1000",
  });
  const user = await createUser();
  expectStatus(await guess(api, user), 401);
  const connection = await pool.sql.reserve();
  try {
    await connection`begin`;
    const [row] = await connection`
      select pg_backend_pid() as pid from attempts where key = ${`address:${address}`} for update`;
    const guesses = concurrently(20, () => guess(api, user));
    // Wait until the pool's connections queue up behind this one.
    for (let waiting = 0; waiting < 6; ) {
      const [chain] = await testPool().sql<{ waiting: number }[]>`
        with recursive blocked (pid) as (
          values (${row?.pid}::int)
          union select waits.pid from blocked, pg_stat_activity as waits
          where blocked.pid = any (pg_blocking_pids(waits.pid))
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
  const { api, address, createUser } = await open({ PASSWORD_WORKERS: "1", PASSWORD_QUEUE: "0" });
  const user = await createUser();
  let busy = 0;
  for (let round = 0; round < 10; round++) {
    const answers = await concurrently(4, () => signIn(api, user));
    expect(statuses(answers).every((status) => status === 204 || status === 503)).toBe(true);
    busy += answers.filter(({ status }) => status === 503).length;
  }
  expect(busy).toBeGreaterThan(5);
  expect(await countOf(`address:${address}`)).toBe(0);
  expectStatus(await guess(api, user), 401);
  expect(await countOf(`address:${address}`)).toBe(1);
});

test("a correct password never blocks its address: not at the limit, and not when many sign in at once", async () => {
  const { api, address, createUser } = await open({
    PASSWORD_QUEUE: "1000",
    SIGN_IN_FAILURES_PER_ADDRESS: "3",
  });
  const users = await Promise.all(Array.from({ length: 6 }, createUser));
  for (let failure = 0; failure < 2; failure++)
    expectStatus(await guess(api, users[failure] as User), 401);
  for (const user of users) expectStatus(await signIn(api, user), 204);
  await pool.sql`delete from attempts where key = ${`address:${address}`}`;
  const answers = await concurrently(6, (index) => signIn(api, users[index] as User));
  expect(statuses(answers)).toEqual([204]);
  for (const user of users) expectStatus(await signIn(api, user), 204);
});

test("concurrent sign-ins beyond the limit of failures wait for each other and succeed; concurrent guesses are counted", async () => {
  const { api, createUser } = await open({ PASSWORD_QUEUE: "1000", SIGN_IN_FREE_FAILURES: "3" });
  const user = await createUser();
  expect(statuses(await concurrently(6, () => signIn(api, user)))).toEqual([204]);
  const guesses = await concurrently(6, () => guess(api, user));
  expect(guesses.filter(({ status }) => status === 401)).toHaveLength(3);
  expect(statuses(guesses)).toEqual([401, 429]);
});

test("an attempt that one key refuses does not count under the others", async () => {
  const { api, address, clock, createUser } = await open({
    SIGN_IN_FREE_FAILURES: "1",
    SIGN_IN_FAILURES_PER_ADDRESS: "3",
  });
  const [first, second] = [await createUser(), await createUser()];
  const [third, fourth] = [await createUser(), await createUser()];
  expectStatus(await guess(api, first), 401);
  // The account is blocked: its address has two attempts left.
  expect(statuses(await concurrently(10, () => guess(api, first)))).toEqual([429]);
  expect(await countOf(`address:${address}`)).toBe(1);
  expectStatus(await guess(api, second), 401);
  expectStatus(await guess(api, third), 401);
  // The address is blocked: the account keeps all its attempts.
  expect(statuses(await concurrently(10, () => guess(api, fourth)))).toEqual([429]);
  // A blocked address writes no counter for an account that does not exist.
  const email = `made-up-${address}@example.com`;
  expectStatus(await guess(api, { email }), 429);
  const key = `account:${createHash("sha256").update(email).digest("base64url")}`;
  expect(await pool.sql`select from attempts where key = ${key}`).toHaveLength(0);
  clock.nowMs += 3_601_000;
  expectStatus(await guess(api, fourth), 401);
});

test("a sign-up counts even if its client hangs up while the password is hashed", async () => {
  let client = new AbortController();
  const hashAfterHangUp: typeof hash = (...args) => {
    client.abort();
    return hash(...args);
  };
  const { api, address } = await open({}, admitting);
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
  const { api, createUser } = await open({
    SIGN_IN_FREE_FAILURES: "1",
    SIGN_IN_FAILURES_PER_ADDRESS: "2",
  });
  const [first, second] = [await createUser(), await createUser()];
  for (const user of [first, second]) expectStatus(await guess(api, user), 401);
  const refused = await guess(api, await createUser());
  expectProblem(refused, 429, "access.throttled");
  expect(refused.headers.get("retry-after")).toBe("3600");
});

test("a sign-in succeeds even if rehashing its password fails", async () => {
  const { api, createUser } = await open({
    ...HIGH_LIMITS,
    PASSWORD_WORKERS: "1",
    PASSWORD_QUEUE: "1",
    PASSWORD_PASSES: "3",
  });
  const users = await Promise.all(Array.from({ length: 4 }, createUser));
  const ids = users.map(({ id }) => id);
  const oldHash = await createPasswords({ ...api.deps.config, PASSWORD_PASSES: 2 }).hash(PASSWORD);
  let signedIn = 0;
  for (let round = 0; round < 3; round++) {
    await pool.sql`update users set password_hash = ${oldHash} where id = any (${ids})`;
    const answers = await concurrently(12, async (index) => {
      // Staggered, so that the queue is full while the first sign-ins rehash.
      await Bun.sleep(8 * index);
      return signIn(api, users[index % 4] as User);
    });
    signedIn += answers.filter(({ status }) => status === 204).length;
  }
  const logins = await pool.sql`select from logins where user_id = any (${ids})`;
  expect(logins).toHaveLength(signedIn);
});
