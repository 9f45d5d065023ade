import { expect, test } from "bun:test";
import { testKeys } from "#test/config.ts";
import { makeSignedIn, makeUser, signInFor } from "#test/fixtures.ts";
import { forgeTokens } from "#test/forged-tokens.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { ME } from "#test/paths.ts";
import { generateKey, parseKeys } from "./keys.ts";
import { createTokens } from "./tokens.ts";

test(
  "no forged token is accepted while the real one is cached",
  withApi(async (api) => {
    const user = await makeUser(api);
    const login = await signInFor(api, user.email);
    const token = login.access.split("=")[1] as string;
    expectStatus(await api.get(ME, { as: login.access }), 200);
    const forgeries = [
      ...(await forgeTokens(token)),
      ["the refresh token", login.refresh.split("=")[1] as string] as const,
    ];
    expect(forgeries.length).toBeGreaterThanOrEqual(60);
    for (const [name, forged] of forgeries) {
      const answer = await api.get(ME, { as: `access_token=${forged}` });
      if (answer.status !== 401) throw new Error(`${name} was answered with ${answer.status}`);
    }
    expectStatus(await api.get(ME, { as: login.access }), 200);
  }),
);

test(
  "100,000 mutations of a cached token get the same verdict as without a cache",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const token = as.split("=")[1] as string;
    await isAccepted(api.deps.tokens, token);
    const cold = createTokens(api.deps.config, await testKeys());
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    for (let n = 0; n < 100_000; n++) {
      const index = n % token.length;
      const mutated =
        token.slice(0, index) +
        alphabet[(n * 31) % alphabet.length] +
        token.slice(index + (n % 3 === 0 ? 0 : 1));
      const warm = await isAccepted(api.deps.tokens, mutated);
      // Without a cache each check verifies a signature: check every hundredth, and all accepted.
      if (warm || n % 100 === 0) expect(warm).toBe(await isAccepted(cold, mutated));
      if (mutated !== token)
        expect(warm && mutated.split(".", 2).join() !== token.split(".", 2).join()).toBe(false);
    }
  }),
  60_000,
);

const isAccepted = async (tokens: Api["deps"]["tokens"], token: string) => {
  try {
    return (await tokens.verify("access", token)) !== undefined;
  } catch {
    return false;
  }
};

test("an expired token, a malformed one and a missing one are refused with different codes", async () => {
  let nowMs = Date.now();
  await withApi(
    async (api) => {
      const { as } = await makeSignedIn(api);
      expectStatus(await api.get(ME, { as }), 200);
      nowMs += 1_801_000;
      expectProblem(await api.get(ME, { as }), 401, "access.token_expired", "Token has expired");
      expectProblem(
        await api.get(ME, { as: "access_token=x.y.z" }),
        401,
        "access.invalid_token",
        "Invalid token",
      );
      expectProblem(await api.get(ME), 401, "access.not_authenticated", "Not authenticated");
    },
    { nowMs: () => nowMs },
  )();
});

test("a token signed by the previous key is accepted, one signed by a removed key is refused", async () => {
  const [oldest, older, newest] = [await generateKey(), await generateKey(), await generateKey()];
  const tokensOf = async (api: Api, ...keys: unknown[]) =>
    createTokens(api.deps.config, await parseKeys(JSON.stringify(keys), "test"));
  await withApi(async (api) => {
    const { user } = await makeSignedIn(api);
    const claims = {
      userId: user.id,
      loginId: user.id,
      tokenId: "x",
      issuedAtS: Math.floor(Date.now() / 1000),
    };
    const byOldest = await (await tokensOf(api, oldest)).sign("access", claims);
    const byOlder = await (await tokensOf(api, older)).sign("access", claims);
    const current = await tokensOf(api, newest, older);
    expect(await isAccepted(current, byOlder)).toBe(true);
    expect(await isAccepted(current, byOldest)).toBe(false);
  })();
});

test("while the clock is set back, valid tokens get 503 with Retry-After, and forged ones 401", async () => {
  let setBackMs = 0;
  await withApi(
    async (api) => {
      const user = await makeUser(api);
      const { access, refresh } = await signInFor(api, user.email);
      const stranger = await parseKeys(JSON.stringify([await generateKey()]), "stranger");
      const claims = {
        userId: user.id,
        loginId: user.id,
        tokenId: "x",
        issuedAtS: Math.floor(Date.now() / 1000),
      };
      const forged = await createTokens(api.deps.config, stranger).sign("access", claims);
      setBackMs = 3_600_000;
      const REFRESH = "/api/v1/access/refresh-jwt";
      for (const answer of [
        await api.get(ME, { as: access }),
        await api.post(REFRESH, { as: refresh }),
        await api.post("/api/v1/access/logout", { as: access }),
      ]) {
        expectProblem(answer, 503, "access.clock_behind");
        expect(answer.headers.get("retry-after")).toBe("30");
        expect(answer.headers.getSetCookie()).toEqual([]);
      }
      expectProblem(
        await api.get(ME, { as: `access_token=${forged}` }),
        401,
        "access.invalid_token",
      );
      setBackMs = 0;
      expectStatus(await api.get(ME, { as: access }), 200);
      expectStatus(await api.post(REFRESH, { as: refresh }), 204);
    },
    { nowMs: () => Date.now() - setBackMs },
  )();
});

test("a refresh token that is used twice while the clock is set back neither ends the login nor counts as a retry", async () => {
  const startMs = Date.now() - 600_000;
  let nowMs = startMs;
  await withApi(
    async (api) => {
      const user = await makeUser(api);
      const { refresh } = await signInFor(api, user.email);
      const again = () => api.post("/api/v1/access/refresh-jwt", { as: refresh });
      nowMs = startMs + 300_000;
      expectStatus(await again(), 204);
      nowMs = startMs + 60_000;
      expectProblem(await again(), 503, "access.clock_behind");
      nowMs = startMs + 301_000;
      expectStatus(await again(), 204);
      nowMs = startMs + 360_000;
      expectProblem(await again(), 401, "access.refresh_reused");
    },
    { nowMs: () => nowMs },
  )();
});
