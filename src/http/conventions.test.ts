import { expect, test } from "bun:test";
import { AppError } from "#lib/errors.ts";
import { makeSignedIn, makeUser, PASSWORD } from "#test/fixtures.ts";
import {
  type Api,
  expectProblem,
  expectStatus,
  type RequestOptions,
  withApi,
} from "#test/harness.ts";
import { API } from "#test/paths.ts";

const account = { email: "new@example.com", password: PASSWORD };
const signUp = { ...account, confirmPassword: PASSWORD };
const failingHash = (error: unknown) => (api: Api) => {
  api.deps.passwords.hash = () => Promise.reject(error);
};

test.each([
  ["echoed when it is well-formed", "abc.DEF_12-3", true],
  ["echoed at its longest, 128 characters", "x".repeat(128), true],
  ["new when the given one is too short", "1234567", false],
  ["new when the given one is too long", "x".repeat(129), false],
  ["new when the given one has other characters", "abc def\u00e9 12345", false],
  ["new when the given one could break a log line", 'abcdefgh","a":"b', false],
])("the request id is %s", (_what, given, isEchoed) =>
  withApi(async (api) => {
    for (const path of ["/ping", "/nowhere", `${API}/access/me`]) {
      const answer = await api.get(path, { headers: { "x-request-id": given } });
      const id = answer.headers.get("x-request-id") as string;
      expect(id === given).toBe(isEchoed);
      expect(id).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
      if (answer.json) expect(answer.json.requestId).toBe(id);
    }
  })(),
);

test(
  "a request without an id gets a new one each time",
  withApi(async (api) => {
    const ids = await Promise.all(
      [1, 2, 3].map(async () => (await api.get("/ping")).headers.get("x-request-id")),
    );
    expect(new Set(ids).size).toBe(3);
  }),
);

test(
  "a problem says type, title, status, detail, code and request id, and nothing else",
  withApi(async (api) => {
    const answer = await api.get("/nowhere", { headers: { "x-request-id": "request-1" } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.json).toEqual({
      type: "urn:irontrack:problem:not_found",
      title: "Not Found",
      status: 404,
      detail: "There is nothing here",
      code: "not_found",
      requestId: "request-1",
    });
  }),
);

test("a fault of ours is a 500 that says nothing of its cause and is logged under the request id", async () => {
  const lines: string[] = [];
  await withApi(
    async (api) => {
      failingHash(new Error("the disk is on fire"))(api);
      const answer = await api.post(`${API}/access/signup`, {
        body: signUp,
        headers: { "x-request-id": "request-2" },
      });
      expectProblem(answer, 500, "internal", "Something went wrong on our side");
      expect(answer.text).not.toContain("fire");
      expect(answer.text).not.toContain("    at ");
    },
    { logTo: { write: (line) => void lines.push(line) } },
  )();
  const logged = lines
    .map((line) => JSON.parse(line))
    .filter(({ requestId }) => requestId === "request-2");
  expect(logged.map(({ level, msg }) => [level, msg])).toEqual([
    [50, "request failed"],
    [30, "request"],
  ]);
  expect(logged[0].err.message).toBe("the disk is on fire");
});

test(
  "401 names the scheme, 429 and 503 say when to come back",
  withApi(async (api) => {
    expect((await api.get(`${API}/access/me`)).headers.get("www-authenticate")).toBe("Cookie");
    failingHash(new AppError("unavailable", "access.busy", "busy", { retryAfterS: 1 }))(api);
    const busy = await api.post(`${API}/access/signup`, { body: signUp });
    expectProblem(busy, 503, "access.busy");
    expect(busy.headers.get("retry-after")).toBe("1");
    failingHash(new AppError("throttled", "access.throttled", "wait", { retryAfterS: 30 }))(api);
    const throttled = await api.post(`${API}/access/signup`, { body: signUp });
    expectProblem(throttled, 429, "access.throttled");
    expect(throttled.headers.get("retry-after")).toBe("30");
  }),
);

test(
  "a database that cannot be reached is a 503 worth a retry",
  withApi(async (api) => {
    failingHash(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }))(api);
    const answer = await api.post(`${API}/access/signup`, { body: signUp });
    expectProblem(
      answer,
      503,
      "database_unavailable",
      "The database cannot be reached; please try again",
    );
    expect(answer.headers.get("retry-after")).toBe("1");
  }),
);

test.each([
  ["GET", "/nowhere", 404, null],
  ["GET", "//ping", 404, null],
  ["GET", `${API}`, 404, null],
  ["POST", "/ping", 405, "GET, HEAD"],
  ["OPTIONS", "/ping", 405, "GET, HEAD"],
  ["DELETE", "/ping/", 405, "GET, HEAD"],
  ["GET", `${API}/access/signin`, 405, "POST"],
  ["HEAD", `${API}/access/signin`, 405, "POST"],
  ["PUT", `${API}/users/0197c0de-0000-7000-8000-000000000000`, 405, "DELETE, GET, HEAD, PATCH"],
  ["GET", "/openapi-json", 404, null],
])("%s %s is answered %d, allowing %p", (method, path, status, allow) =>
  withApi(async (api) => {
    const answer = await api.ask(method as string, path as string);
    if (method === "HEAD") expectStatus(answer, status as number);
    else
      expectProblem(answer, status as number, status === 404 ? "not_found" : "method_not_allowed");
    expect(answer.headers.get("allow")).toBe(allow as string | null);
  })(),
);

test(
  "a trailing slash is the same resource, and HEAD works where GET does",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    for (const path of [
      "/ping",
      "/health",
      `${API}/exercises`,
      `${API}/catalogs/equipment/1`,
      `${API}/access/me`,
    ]) {
      const got = await api.get(path, { as });
      expectStatus(got, 200);
      expect((await api.get(`${path}/`, { as })).text).toBe(got.text);
      const head = await api.ask("HEAD", path, { as });
      expect([head.status, head.text]).toEqual([200, ""]);
      expect(head.headers.get("content-type")).toBe(got.headers.get("content-type"));
      expect(head.headers.get("etag")).toBe(got.headers.get("etag"));
    }
    expectProblem(await api.get(`${API}/exercises/?scope=mine`, { as }), 422, "invalid_request");
  }),
);

type Row = [
  what: string,
  method: string,
  path: string,
  role: "signed out" | "user" | "superuser",
  RequestOptions,
  status: number,
];
const broken = { body: "{" };
const garbage = `${API}/users/garbage`;
const absent = `${API}/users/0197c0de-0000-7000-8000-000000000000`;
const order: Row[] = [
  ["an unparsable body before the login", "POST", `${API}/users`, "signed out", broken, 400],
  ["an unparsable body before the permission", "POST", `${API}/users`, "user", broken, 400],
  [
    "the media type before the login",
    "POST",
    `${API}/users`,
    "signed out",
    { ...broken, headers: plainText() },
    415,
  ],
  ["the login before the body's fields", "POST", `${API}/users`, "signed out", { body: {} }, 401],
  ["the login before the path", "GET", garbage, "signed out", {}, 401],
  ["the login before the query", "GET", `${API}/exercises?scope=mine`, "signed out", {}, 401],
  ["the permission before the body's fields", "POST", `${API}/users`, "user", { body: {} }, 403],
  ["the permission before the path", "GET", garbage, "user", {}, 403],
  ["the permission before the query", "GET", `${API}/users?pageSize=0`, "user", {}, 403],
  ["the permission before existence", "GET", absent, "user", {}, 403],
  [
    "the body's fields before existence",
    "PATCH",
    absent,
    "superuser",
    { body: { isActive: 1 } },
    422,
  ],
  [
    "the body's fields before conflict",
    "POST",
    `${API}/users`,
    "superuser",
    { body: { ...taken(), isActive: 1 } },
    422,
  ],
  ["existence when all else is well", "GET", absent, "superuser", {}, 404],
  ["conflict when all else is well", "POST", `${API}/users`, "superuser", { body: taken() }, 409],
];

test.each(order)(
  "a request is evaluated in order: %s",
  (_what, method, path, role, requestOptions, status) =>
    withApi(async (api) => {
      await makeUser(api, { email: taken().email });
      const roleSlug = role === "superuser" ? "superuser" : "application-access";
      const as = role === "signed out" ? {} : { as: (await makeSignedIn(api, { roleSlug })).as };
      expectStatus(await api.ask(method, path, { ...requestOptions, ...as }), status);
    })(),
);

test(
  "every answer of every status carries the security headers and a request id",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const { etag } = Object.fromEntries((await api.get(`${API}/exercises`, { as })).headers);
    const answers = [
      await api.get("/ping"),
      await api.post(`${API}/users`, { as, body: account }),
      await api.post(`${API}/access/signin`, {
        body: { username: account.email, password: PASSWORD },
      }),
      await api.get(`${API}/exercises`, { as, headers: { "if-none-match": etag as string } }),
      await api.post(`${API}/users`, { as, body: "{" }),
      await api.get(`${API}/access/me`),
      await api.get(`${API}/users`, { as: (await makeSignedIn(api)).as }),
      await api.get("/nowhere"),
      await api.post("/ping"),
      await api.post(`${API}/users`, { as, body: account }),
      await api.post(`${API}/users`, { as, body: " ".repeat(1_048_577) }),
      await api.get(`${API}/exercises?${"a".repeat(9000)}`, { as }),
      await api.post(`${API}/users`, { as, body: "a", headers: { "content-type": "text/plain" } }),
      await api.post(`${API}/users`, { as, body: {} }),
    ];
    failingHash(new Error("no"))(api);
    answers.push(
      await api.post(`${API}/access/signup`, { body: { ...signUp, email: "other@example.com" } }),
    );
    failingHash({ __proto__: Error.prototype, code: "ECONNREFUSED" })(api);
    answers.push(
      await api.post(`${API}/access/signup`, { body: { ...signUp, email: "other@example.com" } }),
    );
    expect(answers.map(({ status }) => status)).toEqual([
      200, 201, 204, 304, 400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 500, 503,
    ]);
    for (const { status, headers, json } of answers) {
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("content-security-policy")).toStartWith("default-src 'none'");
      expect(headers.get("cache-control")).toMatch(/^(no-store|private, no-cache)$/);
      expect(headers.get("x-request-id")).not.toBeNull();
      if (status >= 400) {
        expect(json.type).toBe(`urn:irontrack:problem:${json.code}`);
        expect(json.title).not.toBe("Error");
        expect(json.status).toBe(status);
      }
      if (status === 204 || status === 304) expect(headers.get("content-type")).toBeNull();
    }
  }),
);

function taken() {
  return { email: "taken@example.com", password: PASSWORD };
}

function plainText() {
  return { "content-type": "text/plain" };
}
