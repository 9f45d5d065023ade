import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";
import { createApp } from "../app/app.ts";
import { listenAt } from "../app/server.ts";

const LIST = `${API}/exercises?scope=user`;
const ID = "0123456789abcdef";
const behindProxy = { deps: { isProxied: true } };

/** Sends a conditional GET as the proxy does, with a request id. */
function get(
  api: Api,
  as: string,
  path: string,
  etag: string,
  headers: Record<string, string> = {},
) {
  const sent = {
    cookie: as,
    "x-request-id": ID,
    ...(etag ? { "if-none-match": etag } : {}),
    ...headers,
  };
  return api.app.fetch(new Request(`http://localhost${path}`, { headers: sent }));
}

/** A user with one exercise who has sent the same conditional request twice. */
async function askTwice(api: Api, path = LIST, account: Parameters<typeof makeSignedIn>[1] = {}) {
  const { user, as } = await makeSignedIn(api, account);
  await makeExercise(api, { owner: user, name: "Zq One" });
  const etag = (await get(api, as, path, "")).headers.get("etag") as string;
  const ask = (headers = {}) => get(api, as, path, etag, headers);
  return { user, as, etag, ask, answers: [await ask(), await ask()] as [Response, Response] };
}

const headersOf = ({ headers }: Response) => Object.fromEntries(headers);

test.each([LIST, `${API}/exercises/facets`, `${API}/catalogs/equipment?sortOrder=desc`])(
  "a repeat of GET %p gets the same headers and bytes, and no request id that the proxy already has",
  (path) =>
    withApi(async (api) => {
      const { as, answers } = await askTwice(api, path);
      expect(answers.map(({ status }) => status)).toEqual([304, 304]);
      expect(headersOf(answers[1])).toEqual(headersOf(answers[0]));
      for (const accept of ["gzip", "identity"]) {
        const ask = () => get(api, as, path, "", { "accept-encoding": accept });
        const [first, second] = [await ask(), await ask()];
        expect(headersOf(second)).toEqual(headersOf(first));
        expect(await second.bytes()).toEqual(await first.bytes());
        expect(second.headers.get("x-request-id")).toBeNull();
      }
    }, behindProxy)(),
);

test("a repeat is logged and counted like any request, and counts as one cache hit", async () => {
  const lines: string[] = [];
  const logTo = { write: (line: string) => void lines.push(line) };
  await withApi(
    async (api) => {
      const path = `${API}/exercises/facets`;
      const { user, ask } = await askTwice(api, path);
      const before = { ...api.deps.catalogCache.lookups };
      lines.length = 0;
      await ask();
      // Without the shortcut there are two lookups: whether the user owns no exercise, and the
      // answer.
      expect(api.deps.catalogCache.lookups).toEqual({
        hits: before.hits + 1,
        misses: before.misses,
      });
      const { durationMs, time: _time, ...line } = JSON.parse(lines.join(""));
      const request = { requestId: ID, method: "GET", route: path, status: 304, userId: user.id };
      expect(line).toEqual({ level: 30, ...request, msg: "request" });
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(api.deps.requests.forRoute("GET", path).byStatus).toEqual(
        new Map([
          [200, 1],
          [304, 3],
        ]),
      );
    },
    { ...behindProxy, logTo },
  )();
});

test.each<
  [string, (api: Api, person: Awaited<ReturnType<typeof askTwice>>) => Promise<Response>, number]
>([
  [
    "a new exercise is in the list",
    async (api, { user, ask }) => {
      await makeExercise(api, { owner: user, name: "Zq Two" });
      return ask();
    },
    200,
  ],
  [
    "a user who signed out is refused",
    async (api, { as, ask }) => {
      await api.post(`${API}/access/logout`, { as });
      return ask();
    },
    401,
  ],
  [
    "a deactivated user is refused",
    async (api, { user, ask }) => {
      const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
      await api.patch(`${API}/users/${user.id}`, { as, body: { isActive: false } });
      return ask();
    },
    401,
  ],
  [
    "a request with another ETag gets the list",
    async (api, { as }) => get(api, as, LIST, '"another"'),
    200,
  ],
  ["a request without a cookie is refused", async (api, { etag }) => get(api, "", LIST, etag), 401],
  [
    "another user gets their own list",
    async (api, { etag }) => get(api, (await makeSignedIn(api)).as, LIST, etag),
    200,
  ],
])("after a cached reply, %s", (_what, then, status) =>
  withApi(async (api) => {
    expect((await then(api, await askTwice(api))).status).toBe(status);
  }, behindProxy)(),
);

test("a token that has expired meanwhile is refused", async () => {
  let nowMs = Date.now();
  await withApi(
    async (api) => {
      const { ask } = await askTwice(api);
      nowMs += api.deps.config.ACCESS_TOKEN_TTL_S * 1000;
      expect((await ask()).status).toBe(401);
    },
    { ...behindProxy, nowMs: () => nowMs },
  )();
});

test("a request that needs more headers than the cached reply has does not get it", async () => {
  let isDraining = false;
  const deps = { isProxied: true, isDraining: () => isDraining };
  await withApi(
    async (api) => {
      const { ask } = await askTwice(api);
      expect((await ask({ "x-request-id": "short" })).headers.get("x-request-id")).toHaveLength(14);
      const { ask: asSuperuser } = await askTwice(api, LIST, { roleSlug: "superuser" });
      expect((await asSuperuser()).headers.get("server-timing")).toStartWith("pool");
      isDraining = true;
      expect((await ask()).headers.get("connection")).toBe("close");
    },
    { deps },
  )();
});

test(
  "a cached reply is sent completely to any number of concurrent clients",
  withApi(async (api) => {
    const { as, etag, answers: expected } = await askTwice(api);
    const directory = mkdtempSync(join(tmpdir(), "irontrack-repeated-"));
    const unix = join(directory, "app.sock");
    const server = listenAt(unix, createApp(api.deps), { unix });
    try {
      const headers = { cookie: as, "x-request-id": ID, "if-none-match": etag };
      const answers: Response[] = [];
      for (let round = 0; round < 20; round++) {
        const requests = Array.from({ length: 50 }, () =>
          fetch(`http://localhost${LIST}`, { unix, headers }),
        );
        answers.push(...(await Promise.all(requests)));
        Bun.gc(true);
      }
      const distinct = new Set(
        answers.map((answer) => {
          const { date: _date, ...rest } = headersOf(answer);
          return JSON.stringify([answer.status, rest]);
        }),
      );
      expect([...distinct]).toEqual([JSON.stringify([304, headersOf(expected[1])])]);
    } finally {
      await server.stop(true);
      rmSync(directory, { recursive: true, force: true });
    }
  }, behindProxy),
);
