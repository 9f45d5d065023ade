import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeSignedIn, PASSWORD, signedIn } from "#test/fixtures.ts";
import { API } from "#test/paths.ts";
import { describeProxied, openProxiedApp, type ProxiedApp } from "#test/proxied-app.ts";
import { expectCommonHeadersOnce, expectEdgeProblem } from "#test/proxy-responses.ts";
import { askRaw, type RawAnswer, valuesOf } from "#test/raw-http.ts";

const MEBIBYTE = 2 ** 20;
const LONG = "x".repeat(8000);
const JSON_BODY = { "Content-Type": "application/json" };

describeProxied("the proxy in front of two workers", () => {
  let testbed: ProxiedApp;
  beforeAll(async () => {
    testbed = await openProxiedApp();
  });
  afterAll(() => testbed?.close());

  test.each([
    ["an unknown method", "BREW", "/ping", {}, 405, "method_not_allowed"],
    ["an ambiguous path", "GET", `${API}/users/../workouts`, {}, 400, "malformed_request"],
    ["a relative path", "GET", "nothing", {}, 400, "malformed_request"],
    ["a query of 9 kB", "GET", `/ping?${"q".repeat(9000)}`, {}, 414, "uri_too_long"],
    [
      "a header of 9 kB",
      "GET",
      "/ping",
      { headers: { "X-Long": "x".repeat(9000) } },
      431,
      "headers_too_large",
    ],
    [
      "headers of 24 kB",
      "GET",
      "/ping",
      { headers: { A: LONG, B: LONG, C: LONG } },
      431,
      "headers_too_large",
    ],
    [
      "a body over 1 MiB",
      "POST",
      `${API}/routines`,
      { body: " ".repeat(MEBIBYTE + 1) },
      413,
      "body_too_large",
    ],
    [
      "a file over 16 MiB",
      "POST",
      `${API}/archive`,
      { body: " ".repeat(16 * MEBIBYTE + 1) },
      413,
      "body_too_large",
    ],
    [
      "an unknown coding",
      "POST",
      "/ping",
      { headers: { "Transfer-Encoding": "gzip" } },
      501,
      "not_implemented",
    ],
  ])(
    "%s is refused by the edge with a problem",
    async (_what, method, path, requestOptions, status, code) => {
      const answer = await askRaw(testbed.tls(), method, path, requestOptions);
      expectEdgeProblem(answer, status, code);
      expectCommonHeadersOnce(answer);
    },
  );

  test("a query within the limit of the application reaches it", async () => {
    const path = `${API}/exercises?searchString=${"q".repeat(8000)}`;
    expect((await askRaw(testbed.plain(), "GET", path)).status).toBe(401);
  });

  test.each([`${API}/imports`, `${API}/archive`, `${API}/archive/`])(
    "%s accepts 16 MiB",
    async (path) => {
      const answer = await askRaw(testbed.plain(), "POST", path, {
        body: new Uint8Array(16 * MEBIBYTE),
      });
      expect(answer.status).toBe(401);
    },
  );

  test("a valid request id is passed on, any other is replaced", async () => {
    const idFor = async (given: string) =>
      valuesOf(
        await askRaw(testbed.plain(), "GET", "/ping", { headers: { "X-Request-ID": given } }),
        "x-request-id",
      );
    expect(await idFor("device-17.4711")).toEqual(["device-17.4711"]);
    for (const bad of ["short", `x"y<z>${"a".repeat(9)}`, "a".repeat(129)]) {
      const [generated = ""] = await idFor(bad);
      expect(generated).toMatch(/^[0-9a-f]{32}$/);
    }
    const refused = await askRaw(testbed.plain(), "BREW", "/", {
      headers: { "X-Request-ID": "device-17.4712" },
    });
    expect(JSON.parse(refused.body).requestId).toBe("device-17.4712");
  });

  test("the address that a client states is not trusted: the audit log has the real one", async () => {
    const stated = {
      "X-Real-IP": "203.0.113.1",
      "X-Forwarded-For": "203.0.113.2",
      Forwarded: "for=203.0.113.3",
    };
    const signIn = JSON.stringify({ username: "nobody-there@example.com", password: PASSWORD });
    const headers = { ...JSON_BODY, ...stated, "X-Request-ID": "stated-address-1" };
    const answer = await askRaw(testbed.plain("127.0.0.21"), "POST", `${API}/access/signin`, {
      headers,
      body: signIn,
    });
    expect(answer.status).toBe(401);
    const written = await testbed.database.pool.sql`
      select address from audit_events where request_id = 'stated-address-1'`;
    expect(written.map(({ address }) => address)).toEqual(["127.0.0.21"]);
  });

  test("requests are limited by address; stating another address does not help, and other clients are not affected", async () => {
    const flood = (from: string, count: number, method: string, path: string) =>
      Promise.all(
        Array.from({ length: count }, (_, at) =>
          askRaw(testbed.plain(from), method, path, {
            headers: {
              ...JSON_BODY,
              "X-Real-IP": `203.0.113.${at}`,
              "X-Forwarded-For": `203.0.113.${at}`,
            },
            ...(method === "POST" ? { body: "{" } : {}),
          }),
        ),
      );
    const signIns = await flood("127.0.0.22", 40, "POST", `${API}/access/signin`);
    const refused = signIns.filter(({ status }) => status !== 400);
    // One per second, with a burst of twenty.
    expect(refused.length).toBeGreaterThanOrEqual(10);
    for (const answer of refused) expectEdgeProblem(answer, 429, "too_many_requests");
    expect(valuesOf(refused[0] as RawAnswer, "retry-after")).toEqual(["1"]);
    // Only signing in is limited this tightly, and only for that address.
    expect((await askRaw(testbed.plain("127.0.0.22"), "GET", `${API}/access/me`)).status).toBe(401);
    const [other] = await flood("127.0.0.23", 1, "POST", `${API}/access/signin/`);
    expect(other?.status).toBe(400);
  });

  test("responses of a kilobyte and more are compressed, except those that may contain a secret", async () => {
    const { as } = await makeSignedIn(testbed.api);
    const headers = { "Accept-Encoding": "gzip", Cookie: as };
    const ask = (path: string) => askRaw(testbed.plain("127.0.0.24"), "GET", path, { headers });
    const codingOf = async (path: string) => valuesOf(await ask(path), "content-encoding");
    expect(await codingOf("/openapi.json")).toEqual(["gzip"]);
    const { user, as: owner } = await makeSignedIn(testbed.api);
    const routine = await testbed.api.post(`${API}/routines`, {
      as: owner,
      body: { name: "Push", exercises: [] },
    });
    const tokens: string[] = [];
    for (let count = 0; count < 12; count++) {
      const link = await testbed.api.post(`${API}/links`, {
        as: owner,
        body: { routineId: routine.json.id },
      });
      tokens.push(link.json.token);
    }
    for (let count = 0; count < 12; count++) await signedIn(testbed.api, user);
    headers.Cookie = owner;
    for (const path of [
      `${API}/access/logins`,
      `${API}/links`,
      `${API}/linked/${tokens[0]}`,
      `${API}/links/`,
    ]) {
      const answer = await ask(path);
      expect([path, answer.status, valuesOf(answer, "content-encoding")]).toEqual([path, 200, []]);
    }
    const listed = await ask(`${API}/links`);
    expect(listed.body.length).toBeGreaterThan(1024);
  });
});
