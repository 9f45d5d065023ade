import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { LOGOUT } from "#test/paths.ts";

const FRONT_END = "https://app.example.com";
const settings = { ALLOWED_ORIGINS: `${FRONT_END}, https://other.example.com` };

test.each<[string, Record<string, string>, number]>([
  ["no browser", {}, 204],
  ["our own page", { "sec-fetch-site": "same-origin", origin: "http://localhost" }, 204],
  ["the address bar", { "sec-fetch-site": "none" }, 204],
  ["an old browser on our own page", { origin: "http://localhost", host: "localhost" }, 204],
  ["a front end that is allowed", { origin: FRONT_END, "sec-fetch-site": "cross-site" }, 204],
  ["another site", { "sec-fetch-site": "cross-site" }, 403],
  ["a neighbour's subdomain", { "sec-fetch-site": "same-site" }, 403],
  ["an old browser on another site", { origin: "https://evil.example" }, 403],
  ["a sandboxed frame", { origin: "null" }, 403],
  ["an origin that only begins like an allowed one", { origin: `${FRONT_END}.evil.example` }, 403],
  ["an allowed name without TLS", { origin: "http://app.example.com" }, 403],
])("an unsafe request from %s is answered accordingly", async (_who, headers, status) => {
  await withApi(
    async (api) => {
      const { as } = await makeSignedIn(api);
      const answer = await api.post(LOGOUT, { as, headers });
      if (status === 403) expectProblem(answer, 403, "access.cross_site");
      else expectStatus(answer, status);
      expectStatus(await api.get("/api/v1/access/me", { as, headers }), status === 403 ? 200 : 401);
    },
    { settings },
  )();
});

test(
  "an allowed origin may read responses and passes preflight; another origin does not",
  withApi(
    async (api) => {
      const ask = { "access-control-request-method": "POST" };
      const preflight = await api.ask("OPTIONS", LOGOUT, {
        headers: { ...ask, origin: FRONT_END },
      });
      expectStatus(preflight, 204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe(FRONT_END);
      expect(preflight.headers.get("access-control-allow-credentials")).toBe("true");
      expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
      expectStatus(
        await api.ask("OPTIONS", LOGOUT, { headers: { ...ask, origin: "https://evil.example" } }),
        405,
      );
      const read = await api.get("/ping", { headers: { origin: FRONT_END } });
      expect(read.headers.get("access-control-allow-origin")).toBe(FRONT_END);
      expect(read.headers.get("vary")).toContain("Origin");
      const other = await api.get("/ping", { headers: { origin: "https://evil.example" } });
      expect(other.headers.has("access-control-allow-origin")).toBe(false);
    },
    { settings },
  ),
);

test.each<[string, Record<string, string>, boolean]>([
  ["a page of another site", { "sec-fetch-site": "cross-site", origin: FRONT_END }, true],
  [
    "a page of another host, in a browser that says no more",
    { origin: "http://localhost:5173" },
    true,
  ],
  ["a page of the same site", { "sec-fetch-site": "same-site", origin: FRONT_END }, false],
  ["a page of another port of the same host", { origin: "http://127.0.0.1:5173" }, false],
  ["a program", {}, false],
])(
  "a request without a cookie from %s is 401, and explains the withheld cookies to a page of another site",
  (_what, headers, says) =>
    withApi(
      async (api) => {
        for (const [method, path] of [
          ["GET", "/api/v1/access/me"],
          ["POST", "/api/v1/access/refresh-jwt"],
          ["POST", LOGOUT],
        ] as const) {
          const answer = await api.ask(method, path, {
            headers: { host: "127.0.0.1:8000", ...headers },
          });
          if (answer.status === 403 && method === "POST") continue;
          expectProblem(answer, 401, "access.not_authenticated");
          expect(answer.json.detail.includes("same site")).toBe(says);
          expect(answer.json.detail.startsWith("Not authenticated")).toBe(true);
        }
      },
      { settings: { ALLOWED_ORIGINS: `${FRONT_END}, http://localhost:5173` } },
    )(),
);
