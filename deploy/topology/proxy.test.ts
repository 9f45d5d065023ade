import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { faultsOf } from "#src/http/shapes.ts";
import { Problem } from "#src/operations/openapi.ts";
import { makeSignedIn, PASSWORD, signedIn } from "#test/fixtures.ts";
import { API } from "#test/paths.ts";
import { describeProxied, openProxied, type Proxied } from "#test/proxied.ts";
import { askRaw, type RawAnswer, sendRaw, valuesOf } from "#test/raw-http.ts";
import { startProxy } from "./proxy.ts";

const EQUIPMENT = `${API}/catalogs/equipment`;
const MEBIBYTE = 2 ** 20;
const LONG = "x".repeat(8000);
const JSON_BODY = { "Content-Type": "application/json" };

/** What every answer carries, whoever gave it; the reference page has a policy of its own. */
const EVERY_ANSWER = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

describeProxied("the proxy in front of two workers", () => {
  let stand: Proxied;
  let as: string;
  beforeAll(async () => {
    stand = await openProxied();
    ({ as } = await makeSignedIn(stand.api));
  });
  afterAll(() => stand?.close());

  function expectEveryHeaderOnce(answer: RawAnswer, replaced: Record<string, string> = {}) {
    for (const [name, value] of Object.entries({ ...EVERY_ANSWER, ...replaced }))
      expect([name, ...valuesOf(answer, name)]).toEqual([name, value]);
    for (const name of ["x-request-id", "cache-control", "date"])
      expect(valuesOf(answer, name)).toHaveLength(1);
    for (const name of ["x-powered-by", "x-xss-protection"])
      expect(valuesOf(answer, name)).toEqual([]);
    if (answer.status === 405) expect(valuesOf(answer, "allow")).toHaveLength(1);
    if (answer.status === 429 || answer.status === 503)
      expect(valuesOf(answer, "retry-after")).toHaveLength(1);
  }

  /** A problem whose id is the one in the header. */
  function expectProblemOfEdge(answer: RawAnswer, status: number, code: string) {
    expect([answer.status, valuesOf(answer, "content-type")]).toEqual([
      status,
      ["application/problem+json"],
    ]);
    const problem = JSON.parse(answer.body);
    expect(faultsOf(Problem, problem)).toEqual([]);
    expect([problem.status, problem.code]).toEqual([status, code]);
    expect(valuesOf(answer, "x-request-id")).toEqual([problem.requestId]);
  }

  test.each([
    ["GET", "/ping", {}, 200],
    ["HEAD", "/ping", {}, 200],
    ["GET", "/nothing", {}, 404],
    ["GET", `${API}/access/me`, {}, 401],
    ["DELETE", "/ping", {}, 405],
    ["POST", `${API}/access/signin`, { body: "{", headers: JSON_BODY }, 400],
    [
      "POST",
      `${API}/access/signin`,
      { body: "{}", headers: { "Content-Type": "text/plain" } },
      415,
    ],
    ["POST", `${API}/access/signup`, { body: "{}", headers: JSON_BODY }, 422],
    ["OPTIONS", "/ping", {}, 405],
    ["BREW", "/ping", {}, 405],
    ["TRACE", "/ping", {}, 405],
    ["GET", "/a//b", {}, 400],
    ["GET", "/%zz", {}, 400],
  ])("%s %s: every header is there exactly once", async (method, path, requestOptions, status) => {
    const answer = await askRaw(stand.tls(), method, path, requestOptions);
    expect(answer.status).toBe(status);
    expectEveryHeaderOnce(answer);
    expect(answer.body).not.toContain("<");
  });

  test("answers to the signed-in carry them once too: 200, 204 and 304", async () => {
    const headers = { Cookie: as };
    const full = await askRaw(stand.tls(), "GET", EQUIPMENT, { headers });
    const [etag = ""] = valuesOf(full, "etag");
    const same = await askRaw(stand.tls(), "GET", EQUIPMENT, {
      headers: { ...headers, "If-None-Match": etag },
    });
    const leaving = await makeSignedIn(stand.api);
    const left = await askRaw(stand.tls(), "POST", `${API}/access/logout`, {
      headers: { Cookie: leaving.as },
    });
    expect([full, same, left].map(({ status }) => status)).toEqual([200, 304, 204]);
    for (const answer of [full, same, left]) expectEveryHeaderOnce(answer);
  });

  test("the reference page keeps its own policy", async () => {
    const page = await askRaw(stand.tls(), "GET", "/docs");
    expectEveryHeaderOnce(page, {
      "content-security-policy": valuesOf(page, "content-security-policy")[0] ?? "",
    });
    expect(valuesOf(page, "content-security-policy")[0]).toContain("script-src 'self'");
  });

  test("without TLS nothing promises that there always is", async () => {
    expect(
      valuesOf(await askRaw(stand.plain(), "GET", "/ping"), "strict-transport-security"),
    ).toEqual([]);
  });

  test.each([
    ["an unknown method", "BREW", "/ping", {}, 405, "method_not_allowed"],
    ["a path of two meanings", "GET", `${API}/users/../workouts`, {}, 400, "malformed_request"],
    ["a path that is no path", "GET", "nothing", {}, 400, "malformed_request"],
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
      const answer = await askRaw(stand.tls(), method, path, requestOptions);
      expectProblemOfEdge(answer, status, code);
      expectEveryHeaderOnce(answer);
    },
  );

  test("a query as long as the app takes is the app's to answer", async () => {
    const path = `${API}/exercises?searchString=${"q".repeat(8000)}`;
    expect((await askRaw(stand.plain(), "GET", path)).status).toBe(401);
  });

  test.each([`${API}/imports`, `${API}/archive`, `${API}/archive/`])(
    "%s takes 16 MiB",
    async (path) => {
      const answer = await askRaw(stand.plain(), "POST", path, {
        body: new Uint8Array(16 * MEBIBYTE),
      });
      expect(answer.status).toBe(401);
    },
  );

  test("a request id that is well-formed is passed on, any other replaced", async () => {
    const idOf = async (given: string) =>
      valuesOf(
        await askRaw(stand.plain(), "GET", "/ping", { headers: { "X-Request-ID": given } }),
        "x-request-id",
      );
    expect(await idOf("device-17.4711")).toEqual(["device-17.4711"]);
    for (const bad of ["short", `x"y<z>${"a".repeat(9)}`, "a".repeat(129)]) {
      const [made = ""] = await idOf(bad);
      expect(made).toMatch(/^[0-9a-f]{32}$/);
    }
    const refused = await askRaw(stand.plain(), "BREW", "/", {
      headers: { "X-Request-ID": "device-17.4712" },
    });
    expect(JSON.parse(refused.body).requestId).toBe("device-17.4712");
  });

  test("what clients say of their address is not believed: the audit has the real one", async () => {
    const lies = {
      "X-Real-IP": "203.0.113.1",
      "X-Forwarded-For": "203.0.113.2",
      Forwarded: "for=203.0.113.3",
    };
    const signIn = JSON.stringify({ username: "nobody-there@example.com", password: PASSWORD });
    const headers = { ...JSON_BODY, ...lies, "X-Request-ID": "the-liars-request" };
    const answer = await askRaw(stand.plain("127.0.0.21"), "POST", `${API}/access/signin`, {
      headers,
      body: signIn,
    });
    expect(answer.status).toBe(401);
    const written = await stand.database.pool.sql`
      select address from audit_events where request_id = 'the-liars-request'`;
    expect(written.map(({ address }) => address)).toEqual(["127.0.0.21"]);
  });

  test("each address may ask so often; lying about it gains nothing, and others do not notice", async () => {
    const flood = (from: string, count: number, method: string, path: string) =>
      Promise.all(
        Array.from({ length: count }, (_, at) =>
          askRaw(stand.plain(from), method, path, {
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
    // One a second, and twenty at once.
    expect(refused.length).toBeGreaterThanOrEqual(10);
    for (const answer of refused) expectProblemOfEdge(answer, 429, "too_many_requests");
    expect(valuesOf(refused[0] as RawAnswer, "retry-after")).toEqual(["1"]);
    // Signing in is what is limited so tightly, and only for that address.
    expect((await askRaw(stand.plain("127.0.0.22"), "GET", `${API}/access/me`)).status).toBe(401);
    const [other] = await flood("127.0.0.23", 1, "POST", `${API}/access/signin/`);
    expect(other?.status).toBe(400);
  });

  test("answers of a kilobyte and more are compressed, but none that may carry a secret", async () => {
    const headers = { "Accept-Encoding": "gzip", Cookie: as };
    const ask = (path: string) => askRaw(stand.plain("127.0.0.24"), "GET", path, { headers });
    const codingOf = async (path: string) => valuesOf(await ask(path), "content-encoding");
    expect(await codingOf("/openapi.json")).toEqual(["gzip"]);
    const { user, as: many } = await makeSignedIn(stand.api);
    const routine = await stand.api.post(`${API}/routines`, {
      as: many,
      body: { name: "Push", exercises: [] },
    });
    const tokens: string[] = [];
    for (let count = 0; count < 12; count++) {
      const link = await stand.api.post(`${API}/links`, {
        as: many,
        body: { routineId: routine.json.id },
      });
      tokens.push(link.json.token);
    }
    for (let count = 0; count < 12; count++) await signedIn(stand.api, user);
    headers.Cookie = many;
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

  test("HTTP/2 is spoken, with the same answers", async () => {
    const session = connectHttp2(stand.proxy.urls.tls as string, {
      ca: readFileSync(stand.proxy.certificateFile, "utf8"),
    });
    const ask = (headers: Record<string, string>) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        const stream = session.request(headers);
        let answered: Record<string, unknown> = {};
        stream.on("response", (given) => {
          answered = given;
        });
        stream
          .on("error", reject)
          .on("end", () => resolve(answered))
          .resume()
          .end();
      });
    const [ping, odd] = [await ask({ ":path": "/ping" }), await ask({ ":path": "/a//b" })];
    session.close();
    expect([ping[":status"], ping["referrer-policy"]]).toEqual([200, "no-referrer"]);
    expect([odd[":status"], odd["content-type"]]).toEqual([400, "application/problem+json"]);
  });

  test.each([
    ["in the handshake", "other.example", "localhost"],
    ["in the request", "localhost", "other.example"],
  ])(
    "a name that is not served, %s, is answered with nothing",
    async (_where, servername, host) => {
      const { ca } = stand.tls().tls as { ca: string };
      const target = { ...stand.tls(), tls: { ca, servername } };
      expect(
        await sendRaw(
          target,
          `GET /ping HTTP/1.1
Host: ${host}

`,
        ),
      ).toBe("");
    },
  );

  test("plain HTTP on the port of TLS is refused, and by a name that is not served answered with nothing", async () => {
    const { port } = stand.tls();
    expectProblemOfEdge(await askRaw({ port }, "GET", "/ping"), 400, "malformed_request");
    expect(await sendRaw({ port }, "GET /ping HTTP/1.1\r\nHost: other.example\r\n\r\n")).toBe("");
  });

  test("the access log says of each request how long it took and where, and nothing that people typed", async () => {
    const headers = { "X-Request-ID": "logged-request-1" };
    await askRaw(stand.tls(), "GET", `${API}/linked/secretsecretsecretsecret?search=typed`, {
      headers,
    });
    const read = () => readFileSync(stand.proxy.accessLog, "utf8");
    while (!read().includes("logged-request-1")) await Bun.sleep(20);
    const log = read();
    const lines = log.split("\n").filter((line) => line !== "");
    const entry = lines
      .map((line) => JSON.parse(line))
      .find(({ requestId }) => requestId === "logged-request-1");
    expect(entry).toMatchObject({
      address: "127.0.0.1",
      method: "GET",
      area: `${API}/linked`,
      workerStatus: "422",
    });
    expect(stand.workers.map((path) => `unix:${path}`)).toContain(entry.worker);
    expect(Number(entry.upstreamS)).toBeGreaterThanOrEqual(0);
    expect(log).not.toContain("secretsecret");
    expect(log).not.toContain("typed");
  });

  test("a configuration that is wrong is refused, and the running one goes on", async () => {
    await expect(stand.proxy.reload(["127.0.0.1:99999"])).rejects.toThrow(OperatorError);
    expect((await askRaw(stand.plain(), "GET", "/ping")).status).toBe(200);
    await stand.proxy.reload();
  });

  test("without a worker the edge says so with a problem, and with one again all is well", async () => {
    const [gone, unix] = [
      join(stand.proxy.accessLog, "../gone.sock"),
      join(stand.proxy.accessLog, "../edge.sock"),
    ];
    const lone = await startProxy({
      directory: join(stand.proxy.accessLog, "../lone"),
      workerSockets: [gone],
      listen: { unix },
      variant: "bench",
    });
    try {
      expectProblemOfEdge(await askRaw({ path: unix }, "GET", "/ping"), 502, "unreachable");
      await lone.reload([gone, ...stand.workers]);
      const posts = Array.from({ length: 10 }, () =>
        askRaw({ path: unix }, "POST", `${API}/access/signup`, { headers: JSON_BODY, body: "{" }),
      );
      expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(
        new Set([400]),
      );
    } finally {
      await lone.stop();
    }
  });

  test("an answer that no app made has the headers too, and a worker is told what we know, not what clients say", async () => {
    const directory = join(stand.proxy.accessLog, "../told");
    mkdirSync(directory);
    const [worker, unix] = [join(directory, "worker.sock"), join(directory, "edge.sock")];
    const told: Headers[] = [];
    const bare = Bun.serve({
      unix: worker,
      fetch: ({ headers }) => {
        told.push(headers);
        return new Response("bare", { status: 503, headers: { "x-accel-redirect": "/.problem" } });
      },
    });
    const lone = await startProxy({
      directory,
      workerSockets: [worker],
      listen: { unix },
      variant: "bench",
    });
    try {
      const lies = {
        "X-Forwarded-For": "a",
        "X-Forwarded-Host": "b",
        Forwarded: "c",
        Proxy: "d",
        Upgrade: "e",
      };
      const headers = {
        ...lies,
        "X-Real-IP": "192.0.2.7",
        Traceparent: "f",
        Origin: "https://localhost:1",
      };
      const answer = await askRaw({ path: unix }, "GET", "/x?y=%2e%2e//;", { headers });
      expect([answer.status, answer.body.includes("bare")]).toEqual([503, true]);
      for (const name of Object.keys(EVERY_ANSWER)) {
        const isThere = name !== "strict-transport-security";
        expect([name, valuesOf(answer, name).length]).toEqual([name, isThere ? 1 : 0]);
      }
      expect([valuesOf(answer, "retry-after"), valuesOf(answer, "cache-control")]).toEqual([
        ["1"],
        ["no-store"],
      ]);
      const seen = Object.fromEntries(told[0] ?? []);
      // On its Unix socket, and only there, the proxy believes X-Real-IP.
      expect(seen).toMatchObject({
        "x-real-ip": "192.0.2.7",
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-proto": "http",
      });
      for (const name of ["x-forwarded-host", "forwarded", "proxy", "upgrade", "traceparent"])
        expect([name, seen[name]]).toEqual([name, undefined]);
    } finally {
      await lone.stop();
      await bare.stop(true);
    }
  });
});

test("a program that is not there is named with its package", async () => {
  const path = process.env.PATH;
  process.env.PATH = "";
  try {
    await expect(
      startProxy({
        directory: "/nowhere",
        workerSockets: [],
        listen: {},
        variant: "bench",
        program: "angie",
      }),
    ).rejects.toThrow("apt-get install nginx");
  } finally {
    process.env.PATH = path;
  }
});
