import { expect, test } from "bun:test";
import fc from "fast-check";
import { openPool } from "#db/client.ts";
import { cookiesOf, makeUser, signInFor } from "#test/fixtures.ts";
import {
  type Api,
  apiOn,
  apiWithKeys,
  expectProblem,
  expectStatus,
  withApi,
} from "#test/harness.ts";
import { ME, REFRESH } from "#test/paths.ts";
import { canPrepare, testDatabaseUrl } from "#test/transaction.ts";
import { generateKey } from "./keys.ts";

const HIGH_LIMITS = { REFRESHES_PER_LOGIN: "100000", SIGN_IN_FREE_FAILURES: "100" };

test(
  "a refresh gives two new cookies, and the successor works",
  withApi(async (api) => {
    const user = await makeUser(api);
    const first = await signInFor(api, user.email);
    const answer = await api.post(REFRESH, { as: first.refresh });
    expectStatus(answer, 204);
    const second = cookiesOf(answer.headers);
    expect(second.refresh).not.toBe(first.refresh);
    expectStatus(await api.get(ME, { as: second.access }), 200);
    expectStatus(await api.post(REFRESH, { as: second.refresh }), 204);
  }),
);

test("a retry within ten seconds of a lost answer gets exactly the same successor, a later one ends the login", async () => {
  let nowMs = Date.now();
  const clock = () => nowMs;
  await withApi(
    async (api) => {
      const user = await makeUser(api);
      const first = await signInFor(api, user.email);
      const successor = cookiesOf((await api.post(REFRESH, { as: first.refresh })).headers);
      nowMs += 9_900;
      const retry = cookiesOf((await api.post(REFRESH, { as: first.refresh })).headers);
      expect(retry).toEqual(successor);
      nowMs += 200;
      expectProblem(
        await api.post(REFRESH, { as: first.refresh }),
        401,
        "access.refresh_reused",
        "Invalid credentials",
      );
      expectProblem(
        await api.post(REFRESH, { as: successor.refresh }),
        401,
        "access.login_revoked",
        "Invalid credentials",
      );
      expectProblem(await api.get(ME, { as: successor.access }), 401, "access.login_revoked");
      const [event] = await api.deps.db
        .sql`select event from audit_events where event = 'access.refresh_reused'`;
      expect(event).toBeDefined();
    },
    { nowMs: clock },
  )();
});

test(
  "a retry gets exactly the same successor even after the signing key was replaced",
  withApi(async (api, db) => {
    const [old, added] = [await generateKey(), await generateKey()];
    const [before, after] = [await apiWithKeys(db, old), await apiWithKeys(db, added, old)];
    const user = await makeUser(api);
    const first = await signInFor(before, user.email);
    const successor = cookiesOf((await before.post(REFRESH, { as: first.refresh })).headers);
    expect(cookiesOf((await after.post(REFRESH, { as: first.refresh })).headers)).toEqual(
      successor,
    );
    const next = cookiesOf((await after.post(REFRESH, { as: successor.refresh })).headers);
    // A process without the new key cannot sign the same successor, but does not end the login.
    expectProblem(
      await before.post(REFRESH, { as: successor.refresh }),
      503,
      "access.keys_replaced",
    );
    expectStatus(await after.post(REFRESH, { as: next.refresh }), 204);
  }),
);

test.each([
  ["no cookie", "", "access.not_authenticated", "Not authenticated"],
  ["garbage", "refresh_token=garbage", "access.invalid_token", "Invalid token"],
])("a refresh with %s is refused and ends nothing", async (_what, as, code, detail) => {
  await withApi(async (api) => {
    const user = await makeUser(api);
    const login = await signInFor(api, user.email);
    expectProblem(await api.post(REFRESH, { as }), 401, code, detail);
    // An access token is not a refresh token, whatever the name of its cookie.
    const swapped = login.access.replace("access_token", "refresh_token");
    expectProblem(await api.post(REFRESH, { as: swapped }), 401, "access.invalid_token");
    expectStatus(await api.post(REFRESH, { as: login.refresh }), 204);
  })();
});

test("a login ends thirty days after its sign-in, no matter how often it was refreshed", async () => {
  let nowMs = Date.now();
  await withApi(
    async (api) => {
      const user = await makeUser(api);
      let login = await signInFor(api, user.email);
      for (let day = 0; day < 28; day += 4) {
        nowMs += 4 * 86_400_000;
        login = cookiesOf((await api.post(REFRESH, { as: login.refresh })).headers);
      }
      nowMs += 3 * 86_400_000;
      expectProblem(await api.post(REFRESH, { as: login.refresh }), 401, "access.login_revoked");
    },
    { nowMs: () => nowMs },
  )();
});

test("any number of concurrent uses of one token give one successor, also on a single connection", async () => {
  for (const size of [1, 8]) {
    const pool = openPool(testDatabaseUrl(), { size, prepare: canPrepare() });
    // A clock of its own keeps the application in this process; a server would shed most of a
    // thousand requests.
    const api = await apiOn(pool, { settings: HIGH_LIMITS, nowMs: Date.now });
    const user = await makeUser(api);
    try {
      const login = await signInFor(api, user.email);
      const answers = await Promise.all(
        Array.from({ length: 1000 }, () => api.post(REFRESH, { as: login.refresh })),
      );
      const successors = new Set(answers.map((answer) => cookiesOf(answer.headers).refresh));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
      expect(successors.size).toBe(1);
      expectStatus(await api.post(REFRESH, { as: [...successors][0] as string }), 204);
    } finally {
      await pool.sql`delete from users where id = ${user.id}`;
      await pool.close();
    }
  }
});

type Step = { kind: "present"; ago: number } | { kind: "wait"; ms: number } | { kind: "logout" };
/** The expected state of a login: its tokens, and when the last one was issued. */
type Model = { tokens: { refresh: string }[]; replacedAtMs: number; isLive: boolean };

async function present(api: Api, model: Model, ago: number, nowMs: number) {
  const presented = model.tokens.at(-1 - ago);
  if (!presented) return;
  const answer = await api.post(REFRESH, { as: presented.refresh });
  const isRetry = ago === 1 && nowMs - model.replacedAtMs <= 10_000;
  expectStatus(answer, model.isLive && (ago === 0 || isRetry) ? 204 : 401);
  if (!model.isLive) return;
  if (ago === 0) {
    model.tokens.push(cookiesOf(answer.headers));
    model.replacedAtMs = nowMs;
  } else if (isRetry)
    expect(cookiesOf(answer.headers).refresh).toBe(model.tokens.at(-1)?.refresh as string);
  else model.isLive = false;
}

async function logOut(api: Api, model: Model) {
  const last = model.tokens.at(-1) as { refresh: string };
  expectStatus(
    await api.post("/api/v1/access/logout", { as: last.refresh }),
    model.isLive ? 204 : 401,
  );
  model.isLive = false;
}

test("random sequences of refreshes, retries, reuses and logouts agree with a simple model", async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("present" as const),
        ago: fc.integer({ min: 0, max: 3 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.constantFrom(1000, 9_000, 11_000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("logout" as const) }) },
  );
  let nowMs = Date.now();
  const followModel = async (api: Api, email: string, steps: Step[]) => {
    const model: Model = { tokens: [await signInFor(api, email)], replacedAtMs: 0, isLive: true };
    for (const step of steps) {
      if (step.kind === "wait") nowMs += step.ms;
      else if (step.kind === "logout") await logOut(api, model);
      else await present(api, model, step.ago, nowMs);
    }
  };
  await withApi(
    async (api) => {
      const user = await makeUser(api);
      const sequences = fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) =>
        followModel(api, user.email, steps),
      );
      await fc.assert(sequences, { numRuns: 100 });
    },
    { nowMs: () => nowMs, settings: HIGH_LIMITS },
  )();
});
