import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { SignJWT } from "jose";
import { makeSignedIn, makeUser, signInFor } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, testKeys, withApi } from "#test/harness.ts";
import { ME } from "#test/paths.ts";
import { generateKey, readKeys } from "./keys.ts";
import { createTokens } from "./tokens.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const parts = (token: string) => token.split(".") as [string, string, string];
const decode = (part: string) =>
  JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;

/** Every way we know of to make a token that was not issued, from one that was. */
async function forgeries(token: string): Promise<[string, string][]> {
  const [head, body, signature] = parts(token);
  const header = decode(head);
  const claims = decode(body);
  const keys = await testKeys();
  const publicJwk = keys.publicJwks[0] as { x: string };
  const stranger = await readKeys(JSON.stringify([await generateKey()]), "stranger");
  const resign = (
    change: Record<string, unknown>,
    headerChange: Record<string, unknown> = {},
    key = keys.signing.key,
  ) =>
    new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ ...header, ...headerChange } as { alg: string })
      .sign(key);
  const hmac = (secret: string | Buffer, alg = "HS256") => {
    const signed = `${encode({ ...header, alg })}.${body}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  };
  const nowS = Math.floor(Date.now() / 1000);
  const claimChanges: [string, Record<string, unknown>][] = [
    ["another user", { sub: "01a209f2-f7f5-7524-94bc-8035f4f8979b" }],
    ["another login", { sid: "01a209f2-f7f5-7524-94bc-8035f4f8979b" }],
    ["a longer life", { exp: nowS + 1e9 }],
    ["another token id", { jti: "x" }],
    ["a role", { role: "superuser" }],
  ];
  const signedWrong: [string, Record<string, unknown>][] = [
    ["expired", { exp: nowS - 1 }],
    ["issued at a time that is text", { iat: "tomorrow" }],
    ["for another audience", { aud: "elsewhere" }],
    ["by another issuer", { iss: "elsewhere" }],
    ["of the refresh kind", { typ: "refresh" }],
    ["without a kind", { typ: undefined }],
    ["without a user", { sub: undefined }],
    ["with a user that is no id", { sub: "' or 1=1 --" }],
    ["without a login", { sid: undefined }],
    ["with a login that is no id", { sid: 7 }],
    ["without an expiry", { exp: undefined }],
    ["without an issue time", { iat: undefined }],
    ["without a token id", { jti: undefined }],
    ["with an expiry that is text", { exp: "tomorrow" }],
  ];
  const headerChanges: [string, Record<string, unknown>][] = [
    ["another type", { typ: "rt+jwt" }],
    ["no type", { typ: undefined }],
    ["an unknown key id", { kid: "unknown" }],
    ["no key id", { kid: undefined }],
    ["a key id that is a path", { kid: "../../../dev/null" }],
    ["a critical extension", { crit: ["exp"] }],
    ["the plain JWT type", { typ: "JWT" }],
  ];
  const textual: [string, string][] = [
    ["nothing signed", `${encode({ ...header, alg: "none" })}.${body}.`],
    ["None", `${encode({ ...header, alg: "None" })}.${body}.`],
    ["none and the signature", `${encode({ ...header, alg: "none" })}.${body}.${signature}`],
    ["no signature", `${head}.${body}.`],
    ["two parts", `${head}.${body}`],
    ["four parts", `${token}.x`],
    ["an empty header", `.${body}.${signature}`],
    ["an empty body", `${head}..${signature}`],
    ["a signature of zeros", `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`],
    ["half a signature", `${head}.${body}.${signature.slice(0, 40)}`],
    ["spaces", `${head} .${body}.${signature}`],
    ["HMAC with the public key", hmac(publicJwk.x)],
    ["HMAC with the public key's bytes", hmac(Buffer.from(publicJwk.x, "base64url"))],
    ["HMAC with the public JWK", hmac(JSON.stringify(publicJwk))],
    ["HMAC with nothing", hmac("")],
    ["HS512 with the public key", hmac(publicJwk.x, "HS512")],
    ["only the token id", `e30.${encode({ jti: claims.jti })}.`],
    [
      "a body of its own with the token id",
      `${head}.${encode({ ...claims, sub: "x" })}.${signature}`,
    ],
    ["an overlong token", `${token}${"A".repeat(4000)}`],
    ["ES256", `${encode({ ...header, alg: "ES256" })}.${body}.${signature}`],
    ["Ed448", `${encode({ ...header, alg: "Ed448" })}.${body}.${signature}`],
    ["RS256", `${encode({ ...header, alg: "RS256" })}.${body}.${signature}`],
    ["a list of algorithms", `${encode({ ...header, alg: ["EdDSA"] })}.${body}.${signature}`],
    ["eddsa in lower case", `${encode({ ...header, alg: "eddsa" })}.${body}.${signature}`],
    ["padding", `${token}=`],
    ["a quoted token", `"${token}"`],
    ["garbage", "garbage"],
    ["JSON", '{"sub":"x"}'],
    ["percent escapes", "%E0%A4%A"],
    ["three dots", "..."],
  ];
  const embedded = {
    jwk: stranger.publicJwks[0],
    jku: "https://evil.example/jwks",
    x5u: "https://evil.example/x",
  };
  return [
    ...claimChanges.map(([what, change]): [string, string] => [
      what,
      `${head}.${encode({ ...claims, ...change })}.${signature}`,
    ]),
    ...(await Promise.all(
      signedWrong.map(
        async ([what, change]): Promise<[string, string]> => [what, await resign(change)],
      ),
    )),
    ...(await Promise.all(
      headerChanges.map(
        async ([what, change]): Promise<[string, string]> => [
          what,
          await resign({}, change).catch(() => what),
        ],
      ),
    )),
    ...textual,
    ["a stranger's key", await resign({}, {}, stranger.signing.key)],
    [
      "a stranger's key and its id",
      await resign({}, { kid: stranger.signing.kid }, stranger.signing.key),
    ],
    [
      "a stranger's key that comes along",
      await resign({}, { ...embedded, kid: stranger.signing.kid }, stranger.signing.key),
    ],
    [
      "a stranger's key under our id that comes along",
      await resign({}, embedded, stranger.signing.key),
    ],
  ];
}

test(
  "no forged token is accepted, while the true one is remembered",
  withApi(async (api) => {
    const user = await makeUser(api);
    const login = await signInFor(api, user.email);
    const token = login.access.split("=")[1] as string;
    expectStatus(await api.get(ME, { as: login.access }), 200);
    const tried = [
      ...(await forgeries(token)),
      ["the refresh token", login.refresh.split("=")[1] as string] as const,
    ];
    expect(tried.length).toBeGreaterThanOrEqual(60);
    for (const [what, forged] of tried) {
      const answer = await api.get(ME, { as: `access_token=${forged}` });
      if (answer.status !== 401) throw new Error(`${what} was answered with ${answer.status}`);
    }
    expectStatus(await api.get(ME, { as: login.access }), 200);
  }),
);

test(
  "a token is not found under a part of it: 100,000 mutations of remembered tokens get the verdict of a cold check",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const token = as.split("=")[1] as string;
    await verdict(api.deps.tokens, token);
    const cold = createTokens(api.deps.config, await testKeys());
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    for (let n = 0; n < 100_000; n++) {
      const at = n % token.length;
      const mutated =
        token.slice(0, at) +
        alphabet[(n * 31) % alphabet.length] +
        token.slice(at + (n % 3 === 0 ? 0 : 1));
      const warm = await verdict(api.deps.tokens, mutated);
      // A cold check costs a signature: every hundredth, and everything that memory accepts.
      if (warm || n % 100 === 0) expect(warm).toBe(await verdict(cold, mutated));
      if (mutated !== token)
        expect(warm && mutated.split(".", 2).join() !== token.split(".", 2).join()).toBe(false);
    }
  }),
  60_000,
);

const verdict = async (tokens: Api["deps"]["tokens"], token: string) => {
  try {
    return (await tokens.verify("access", token)) !== undefined;
  } catch {
    return false;
  }
};

test("a token that has expired says so, one that is garbage says that", async () => {
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

test("a token of a key that was rotated out is refused, of the one before it is not", async () => {
  const [oldest, older, newest] = [await generateKey(), await generateKey(), await generateKey()];
  const keysOf = (...keys: unknown[]) => readKeys(JSON.stringify(keys), "test");
  await withApi(async (api) => {
    const { user } = await makeSignedIn(api);
    const claims = {
      userId: user.id,
      loginId: user.id,
      tokenId: "x",
      issuedAtS: Math.floor(Date.now() / 1000),
    };
    const byOldest = await createTokens(api.deps.config, await keysOf(oldest)).sign(
      "access",
      claims,
    );
    const byOlder = await createTokens(api.deps.config, await keysOf(older)).sign("access", claims);
    const current = createTokens(api.deps.config, await keysOf(newest, older));
    expect(await verdict(current, byOlder)).toBe(true);
    expect(await verdict(current, byOldest)).toBe(false);
  })();
});

test("while the clock is set back, our own tokens get 503 with Retry-After, and forged ones 401", async () => {
  let setBackMs = 0;
  await withApi(
    async (api) => {
      const user = await makeUser(api);
      const { access, refresh } = await signInFor(api, user.email);
      const stranger = await readKeys(JSON.stringify([await generateKey()]), "stranger");
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

test("a refresh token used twice, with the clock set back in between, neither ends the login nor counts as a retry", async () => {
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
