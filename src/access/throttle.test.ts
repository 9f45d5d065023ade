import { expect, test } from "bun:test";
import { makeUser, PASSWORD, signInFor } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { SIGN_IN } from "#test/paths.ts";

function withClock(
  work: (api: Api, clock: { nowMs: number; address: string }) => Promise<void>,
  settings = {},
) {
  const clock = { nowMs: Date.now(), address: "192.0.2.1" };
  return withApi((api) => work(api, clock), {
    nowMs: () => clock.nowMs,
    settings: { SIGN_IN_FAILURES_PER_ADDRESS: "100", ...settings },
    deps: { addressOf: () => clock.address },
  });
}

const signIn = (api: Api, email: string, password: string = PASSWORD) =>
  api.post(SIGN_IN, { body: { username: email, password } });
const guess = (api: Api, email: string) => signIn(api, email, "a wrong guess");

test(
  "at most ten guesses at an account are checked in a quarter of an hour, from any number of addresses",
  withClock(async (api, clock) => {
    const user = await makeUser(api);
    let guessed = 0;
    for (let second = 0; second < 900; second += 3) {
      clock.nowMs += 3000;
      clock.address = `198.51.100.${second % 250}`;
      const answer = await guess(api, user.email);
      if (answer.status === 401) guessed++;
      else expectProblem(answer, 429, "access.throttled");
    }
    expect(guessed).toBeLessThanOrEqual(10);
  }),
);

test(
  "Retry-After is exact: a sign-in one second earlier is refused, at that time it is not",
  withClock(async (api, clock) => {
    const user = await makeUser(api);
    for (let failure = 0; failure < 5; failure++) expectStatus(await guess(api, user.email), 401);
    const refused = await signIn(api, user.email);
    expectProblem(refused, 429, "access.throttled");
    const waitS = Number(refused.headers.get("retry-after"));
    clock.nowMs += (waitS - 1) * 1000;
    expectStatus(await signIn(api, user.email), 429);
    clock.nowMs += 1000;
    expectStatus(await signIn(api, user.email), 204);
    // The success has reset the counter.
    for (let failure = 0; failure < 4; failure++) expectStatus(await guess(api, user.email), 401);
  }),
);

test(
  "guessing at an account neither signs out its owner nor prevents a sign-in on a known device",
  withClock(async (api) => {
    const user = await makeUser(api);
    const login = await signInFor(api, user.email);
    for (let failure = 0; failure < 8; failure++) await guess(api, user.email);
    expectStatus(await api.get("/api/v1/access/me", { as: login.access }), 200);
    expectStatus(
      await api.post(SIGN_IN, {
        as: login.refresh,
        body: { username: user.email, password: PASSWORD },
      }),
      204,
    );
    expectStatus(await signIn(api, user.email), 429);
  }),
);

test(
  "an address has a hundred failures an hour, over all accounts",
  withClock(async (api, clock) => {
    const statuses: number[] = [];
    for (let n = 0; n < 110; n++)
      statuses.push((await guess(api, `nobody-${n}@example.com`)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    clock.address = "203.0.113.9";
    expectStatus(await guess(api, "nobody@example.com"), 401);
  }),
);

test(
  "concurrent guesses are each counted",
  withClock(
    async (api) => {
      const user = await makeUser(api);
      const answers = await Promise.all(Array.from({ length: 50 }, () => guess(api, user.email)));
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    },
    { PASSWORD_QUEUE: "1000" },
  ),
);

test(
  "an address creates at most ten accounts an hour",
  withClock(async (api, clock) => {
    const signUp = (n: number) =>
      api.post("/api/v1/access/signup", {
        body: { email: `many-${n}@example.com`, password: PASSWORD, confirmPassword: PASSWORD },
      });
    for (let n = 0; n < 10; n++) expectStatus(await signUp(n), 201);
    expectProblem(await signUp(10), 429, "access.throttled");
    clock.nowMs += 3_601_000;
    expectStatus(await signUp(11), 201);
  }),
);

test("when too many hashes wait, the next sign-in gets 503 with Retry-After", async () => {
  await withApi(
    async (api) => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => guess(api, `queue-${n}@example.com`)),
      );
      const busy = answers.find(({ status }) => status === 503);
      expectProblem(busy as (typeof answers)[0], 503, "access.busy");
      expect(busy?.headers.get("retry-after")).toBe("1");
    },
    { settings: { PASSWORD_WORKERS: "1", PASSWORD_QUEUE: "0" } },
  )();
});

test(
  "a clock that is set back by days does not block sign-ins for days",
  withClock(async (api, clock) => {
    const user = await makeUser(api);
    for (let failure = 0; failure < 5; failure++) expectStatus(await guess(api, user.email), 401);
    expectStatus(await guess(api, user.email), 429);
    clock.nowMs -= 2 * 86_400_000;
    expectStatus(await signIn(api, user.email), 204);
    for (let failure = 0; failure < 5; failure++) expectStatus(await guess(api, user.email), 401);
    expectStatus(await guess(api, user.email), 429);
  }),
);
