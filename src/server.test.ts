import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "#test/harness.ts";
import { freePort } from "#test/launched.ts";
import { testDatabaseUrl } from "#test/transaction.ts";
import { OperatorError } from "./errors.ts";
import { openLog } from "./log.ts";
import { type Listening, listen } from "./server.ts";
import { openServices, type Services } from "./services.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-server-"));
const unix = join(dir, "a.sock");
let services: Services;
let listening: Listening;
let config: ReturnType<typeof testConfig>;

beforeAll(async () => {
  config = testConfig({ PORT: await freePort() });
  const urls = { pooled: testDatabaseUrl(), direct: testDatabaseUrl() };
  services = await openServices(config, urls, join(dir, "keys.json"), openLog(config));
  listening = await listen(config, services, unix);
});
afterAll(async () => {
  await listening.stop();
  await services.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Sends raw bytes on a connection of its own; the first line of what comes back, "" when it is closed without a word. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(unix, () => socket.write(bytes));
    socket.on("data", (chunk) => {
      answer += chunk;
      socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer.split("\r\n")[0] ?? ""));
  });
}

const ping = async (options: { unix: string } | undefined) =>
  (await fetch(options ? "http://localhost/ping" : `${listening.url}/ping`, options)).text();

test("it answers on the Unix socket and on loopback alike", async () => {
  expect(await ping({ unix })).toBe("OK");
  expect(await ping(undefined)).toBe("OK");
});

test("HEAD works where GET does, and has no body", async () => {
  const answer = await fetch("http://localhost/health/live", { unix, method: "HEAD" });
  expect([answer.status, await answer.text()]).toEqual([200, ""]);
  expect(answer.headers.get("x-request-id")).not.toBeNull();
});

test.each([
  ["GET", "/ping/", 200],
  ["GET", "/nothing", 404],
  ["DELETE", "/ping", 405],
  ["GET", "/api/v1/exercises/x", 401],
  ["GET", "/api/v1/catalogs/equipment/", 401],
  ["PUT", "/api/v1/exercises", 405],
])("%s %s on a real socket is answered with %i as everywhere", async (method, path, status) => {
  const answer = await fetch(`http://localhost${path}`, { unix, method });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("x-request-id")).not.toBeNull();
  expect(answer.headers.has("allow")).toBe(status === 405);
});

test.each([
  ["with a length", (body: string) => body],
  ["without one", (body: string) => new Response(body).body as unknown as string],
])("a body of 10 MB %s is refused with 413, and the server goes on", async (_how, bodyOf) => {
  const answer = await fetch("http://localhost/api/v1/access/signup", {
    unix,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: bodyOf("x".repeat(10_000_000)),
  });
  expect(answer.status).toBe(413);
  expect(((await answer.json()) as { code: string }).code).toBe("body_too_large");
  expect(await ping({ unix })).toBe("OK");
});

const head = "POST /api/v1/access/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
test.each([
  ["an unknown method", "FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["TRACE", "TRACE /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["PROPFIND", "PROPFIND /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["OPTIONS", "OPTIONS /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["headers of 100 kB", `GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(100_000)}\r\n\r\n`],
  ["a length and chunks", `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`],
  ["two lengths", `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
  ["a signed length", `${head}Content-Length: +2\r\n\r\n{}`],
  ["a bare carriage return", "GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\rY: b\r\n\r\n"],
  ["no HTTP at all", "\u0000\u0001\u0002\r\n\r\n"],
  ["no host", "GET /ping HTTP/1.1\r\n\r\n"],
  ["a path of escapes", "GET /%zz/..%2f..%2fetc HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  [
    "a query of 100 kB",
    `GET /api/v1/exercises?searchString=${"a".repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  ],
])("%s is answered with a 4xx or the connection's end, and the server goes on", async (_what, bytes) => {
  expect(await raw(bytes)).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
  expect(await ping({ unix })).toBe("OK");
});

test("a socket that somebody answers on is left alone, a stale file is replaced", async () => {
  const alone = { ...config, HOST: "" };
  await expect(listen(alone, services, unix)).rejects.toThrow(OperatorError);
  const stale = join(dir, "stale.sock");
  writeFileSync(stale, "");
  const second = await listen(alone, services, stale);
  expect(await ping({ unix: stale })).toBe("OK");
  // A request that is being answered when the stop comes is still answered.
  const running = fetch("http://localhost/api/v1/access/signin", {
    unix: stale,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "nobody@example.com", password: "a wrong guess" }),
  });
  await Bun.sleep(5);
  await second.stop();
  expect((await running).status).toBe(401);
  expect(existsSync(stale)).toBe(false);
});
