import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Api, withApi } from "#test/harness.ts";
import { makeExercise, makeSignedIn } from "#test/make.ts";

const P = "/api/v1";
const LIST = `${P}/exercises?scope=user`;
const ID = "0123456789abcdef";
const behindProxy = { deps: { isProxied: true } };

/** Asks as the proxy does, which names each request, for what may be there already. */
function requestOptions(
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

/** A person who has an exercise, its list, and was told twice that nothing is new. */
async function toldTwice(api: Api, path = LIST, role: Parameters<typeof makeSignedIn>[1] = {}) {
  const { user, as } = await makeSignedIn(api, role);
  await makeExercise(api, { owner: user, name: "Zq One" });
  const etag = (await requestOptions(api, as, path, "")).headers.get("etag") as string;
  const ask = (headers = {}) => requestOptions(api, as, path, etag, headers);
  return { user, as, etag, ask, told: [await ask(), await ask()] as [Response, Response] };
}

const headersOf = ({ headers }: Response) => Object.fromEntries(headers);

test.each([LIST, `${P}/exercises/facets`, `${P}/catalogs/equipment?sortOrder=desc`])(
  "who asks %p again in the same words is answered the same in every header and byte, without an id that they know",
  (path) =>
    withApi(async (api) => {
      const { as, told } = await toldTwice(api, path);
      expect(told.map(({ status }) => status)).toEqual([304, 304]);
      expect(headersOf(told[1])).toEqual(headersOf(told[0]));
      for (const accept of ["gzip", "identity"]) {
        const ask = () => requestOptions(api, as, path, "", { "accept-encoding": accept });
        const [first, second] = [await ask(), await ask()];
        expect(headersOf(second)).toEqual(headersOf(first));
        expect(await second.bytes()).toEqual(await first.bytes());
        expect(second.headers.get("x-request-id")).toBeNull();
      }
    }, behindProxy)(),
);

test("it is logged and counted like any other, though no answer was looked for", async () => {
  const lines: string[] = [];
  const logTo = { write: (line: string) => void lines.push(line) };
  await withApi(
    async (api) => {
      const path = `${P}/exercises/facets`;
      const { user, ask } = await toldTwice(api, path);
      const before = { ...api.deps.catalogCache.lookups };
      lines.length = 0;
      await ask();
      // Whoever has exercises is asked about twice on the long way: whether they have none, and
      // what they are answered.
      expect(api.deps.catalogCache.lookups).toEqual({
        hits: before.hits + 1,
        misses: before.misses,
      });
      const { durationMs, time: _time, ...line } = JSON.parse(lines.join(""));
      const asked = { requestId: ID, method: "GET", route: path, status: 304, userId: user.id };
      expect(line).toEqual({ level: 30, ...asked, msg: "request" });
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(api.deps.requests.of("GET", path).byStatus).toEqual(
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
  [string, (api: Api, person: Awaited<ReturnType<typeof toldTwice>>) => Promise<Response>, number]
>([
  [
    "an exercise more is sent",
    async (api, { user, ask }) => {
      await makeExercise(api, { owner: user, name: "Zq Two" });
      return ask();
    },
    200,
  ],
  [
    "who signed out is refused",
    async (api, { as, ask }) => {
      await api.post(`${P}/access/logout`, { as });
      return ask();
    },
    401,
  ],
  [
    "who was deactivated is refused",
    async (api, { user, ask }) => {
      const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
      await api.patch(`${P}/users/${user.id}`, { as, body: { isActive: false } });
      return ask();
    },
    401,
  ],
  [
    "another tag is sent the list",
    async (api, { as }) => requestOptions(api, as, LIST, '"another"'),
    200,
  ],
  [
    "who has no cookie is refused",
    async (api, { etag }) => requestOptions(api, "", LIST, etag),
    401,
  ],
  [
    "somebody else is sent their own",
    async (api, { etag }) => requestOptions(api, (await makeSignedIn(api)).as, LIST, etag),
    200,
  ],
])("after an answer from memory, %s", (_what, then, status) =>
  withApi(async (api) => {
    expect((await then(api, await toldTwice(api))).status).toBe(status);
  }, behindProxy)(),
);

test("a token that has expired meanwhile is refused", async () => {
  let nowMs = Date.now();
  await withApi(
    async (api) => {
      const { ask } = await toldTwice(api);
      nowMs += api.deps.config.ACCESS_TOKEN_TTL_S * 1000;
      expect((await ask()).status).toBe(401);
    },
    { ...behindProxy, nowMs: () => nowMs },
  )();
});

test("what a repeated answer does not have is never missed", async () => {
  let isDraining = false;
  const deps = { isProxied: true, isDraining: () => isDraining };
  await withApi(
    async (api) => {
      const { ask } = await toldTwice(api);
      expect((await ask({ "x-request-id": "short" })).headers.get("x-request-id")).toHaveLength(14);
      const { ask: asSuperuser } = await toldTwice(api, LIST, { roleSlug: "superuser" });
      expect((await asSuperuser()).headers.get("server-timing")).toStartWith("pool");
      isDraining = true;
      expect((await ask()).headers.get("connection")).toBe("close");
    },
    { deps },
  )();
});

test(
  "a repeated answer is sent whole, however many ask at once",
  withApi(async (api) => {
    const { as, etag, told } = await toldTwice(api);
    const directory = mkdtempSync(join(tmpdir(), "irontrack-repeated-"));
    const unix = join(directory, "app.sock");
    // biome-ignore lint/suspicious/noExplicitAny: Bun derives the type of routes from literal paths.
    const server = Bun.serve({ unix, routes: api.app.routes as any, fetch: api.app.fetch });
    try {
      const headers = { cookie: as, "x-request-id": ID, "if-none-match": etag };
      const answers: Response[] = [];
      for (let round = 0; round < 20; round++) {
        const asked = Array.from({ length: 50 }, () =>
          fetch(`http://localhost${LIST}`, { unix, headers }),
        );
        answers.push(...(await Promise.all(asked)));
        Bun.gc(true);
      }
      const seen = new Set(
        answers.map((answer) => {
          const { date: _date, ...rest } = headersOf(answer);
          return JSON.stringify([answer.status, rest]);
        }),
      );
      expect([...seen]).toEqual([JSON.stringify([304, headersOf(told[1])])]);
    } finally {
      await server.stop(true);
      rmSync(directory, { recursive: true, force: true });
    }
  }, behindProxy),
);
