import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { makeSignedIn } from "#test/fixtures.ts";
import { API } from "#test/paths.ts";
import { describeProxied, openProxiedApp, type ProxiedApp } from "#test/proxied-app.ts";
import { COMMON_HEADERS, expectCommonHeadersOnce } from "#test/proxy-responses.ts";
import { askRaw, valuesOf } from "#test/raw-http.ts";
import { startProxy } from "./proxy.ts";

const EQUIPMENT = `${API}/catalogs/equipment`;
const JSON_BODY = { "Content-Type": "application/json" };

describeProxied("the headers of responses through the proxy", () => {
  let testbed: ProxiedApp;
  beforeAll(async () => {
    testbed = await openProxiedApp();
  });
  afterAll(() => testbed?.close());

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
  ])(
    "%s %s: the response has every common header exactly once",
    async (method, path, requestOptions, status) => {
      const answer = await askRaw(testbed.tls(), method, path, requestOptions);
      expect(answer.status).toBe(status);
      expectCommonHeadersOnce(answer);
      expect(answer.body).not.toContain("<");
    },
  );

  test("so do responses to signed-in users: 200, 204 and 304", async () => {
    const { as } = await makeSignedIn(testbed.api);
    const headers = { Cookie: as };
    const full = await askRaw(testbed.tls(), "GET", EQUIPMENT, { headers });
    const [etag = ""] = valuesOf(full, "etag");
    const unchanged = await askRaw(testbed.tls(), "GET", EQUIPMENT, {
      headers: { ...headers, "If-None-Match": etag },
    });
    const leaving = await makeSignedIn(testbed.api);
    const left = await askRaw(testbed.tls(), "POST", `${API}/access/logout`, {
      headers: { Cookie: leaving.as },
    });
    expect([full, unchanged, left].map(({ status }) => status)).toEqual([200, 304, 204]);
    for (const answer of [full, unchanged, left]) expectCommonHeadersOnce(answer);
  });

  test("the reference page keeps its own Content-Security-Policy", async () => {
    const page = await askRaw(testbed.tls(), "GET", "/docs");
    expectCommonHeadersOnce(page, {
      "content-security-policy": valuesOf(page, "content-security-policy")[0] ?? "",
    });
    expect(valuesOf(page, "content-security-policy")[0]).toContain("script-src 'self'");
  });

  test("without TLS there is no Strict-Transport-Security", async () => {
    expect(
      valuesOf(await askRaw(testbed.plain(), "GET", "/ping"), "strict-transport-security"),
    ).toEqual([]);
  });

  test("HTTP/2 gives the same responses", async () => {
    const session = connectHttp2(testbed.proxy.urls.tls as string, {
      ca: readFileSync(testbed.proxy.certificateFile, "utf8"),
    });
    const ask = (headers: Record<string, string>) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        const stream = session.request(headers);
        let response: Record<string, unknown> = {};
        stream.on("response", (received) => {
          response = received;
        });
        stream
          .on("error", reject)
          .on("end", () => resolve(response))
          .resume()
          .end();
      });
    const [ping, odd] = [await ask({ ":path": "/ping" }), await ask({ ":path": "/a//b" })];
    session.close();
    expect([ping[":status"], ping["referrer-policy"]]).toEqual([200, "no-referrer"]);
    expect([odd[":status"], odd["content-type"]]).toEqual([400, "application/problem+json"]);
  });

  test("a response that the application did not make has the common headers too", async () => {
    const directory = join(testbed.proxy.accessLog, "../bare");
    mkdirSync(directory);
    const [worker, unix] = [join(directory, "worker.sock"), join(directory, "edge.sock")];
    const received: Headers[] = [];
    const bare = Bun.serve({
      unix: worker,
      fetch: ({ headers }) => {
        received.push(headers);
        return new Response("bare", { status: 503, headers: { "x-accel-redirect": "/.problem" } });
      },
    });
    const proxy = await startProxy({
      directory,
      workerSockets: [worker],
      listen: { unix },
      variant: "bench",
    });
    try {
      const stated = {
        "X-Forwarded-For": "a",
        "X-Forwarded-Host": "b",
        Forwarded: "c",
        Proxy: "d",
        Upgrade: "e",
      };
      const headers = {
        ...stated,
        "X-Real-IP": "192.0.2.7",
        Traceparent: "f",
        Origin: "https://localhost:1",
      };
      const answer = await askRaw({ path: unix }, "GET", "/x?y=%2e%2e//;", { headers });
      expect([answer.status, answer.body.includes("bare")]).toEqual([503, true]);
      for (const name of Object.keys(COMMON_HEADERS)) {
        const isExpected = name !== "strict-transport-security";
        expect([name, valuesOf(answer, name).length]).toEqual([name, isExpected ? 1 : 0]);
      }
      expect([valuesOf(answer, "retry-after"), valuesOf(answer, "cache-control")]).toEqual([
        ["1"],
        ["no-store"],
      ]);
      const forwarded = Object.fromEntries(received[0] ?? []);
      // The proxy trusts X-Real-IP on its Unix socket, and only there.
      expect(forwarded).toMatchObject({
        "x-real-ip": "192.0.2.7",
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-proto": "http",
      });
      for (const name of ["x-forwarded-host", "forwarded", "proxy", "upgrade", "traceparent"])
        expect([name, forwarded[name]]).toEqual([name, undefined]);
    } finally {
      await proxy.stop();
      await bare.stop(true);
    }
  });
});
