import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { testConfig } from "#test/config.ts";
import { freePort } from "#test/launcher.ts";
import { canPrepare, directTestUrl, testDatabaseUrl } from "#test/transaction.ts";
import { invalidToken } from "../access/tokens.ts";
import { openLog } from "../log/log.ts";
import { type Listening, listen } from "./server.ts";
import { openServices, type Services } from "./services.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-server-"));
const unix = join(dir, "a.sock");
let services: Services;
let listening: Listening;
let config: ReturnType<typeof testConfig>;

beforeAll(async () => {
  config = testConfig({ PORT: await freePort(), DATABASE_PREPARE: String(canPrepare()) });
  const urls = { pooled: testDatabaseUrl(), direct: directTestUrl() };
  services = await openServices(config, urls, join(dir, "keys.json"), openLog(config));
  listening = await listen(config, services, unix);
});
afterAll(async () => {
  await listening.stop();
  await services.close();
  rmSync(dir, { recursive: true, force: true });
});

/**
 * Sends raw bytes on a connection of its own; the first line of what comes back, "" when it is
 * closed without a word.
 */
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

test("behind a proxy, /ping has the same response except for the headers that the proxy adds", async () => {
  const named = async (answer: Response) => ({
    status: answer.status,
    body: await answer.text(),
    headers: [...answer.headers]
      .filter(([name]) => !["date", "etag", "x-request-id"].includes(name))
      .sort(),
  });
  const proxied = await fetch("http://localhost/ping", { unix });
  expect(proxied.headers.has("x-request-id")).toBe(false);
  expect(await named(proxied)).toEqual(await named(await fetch(`${listening.url}/ping`)));
  const head = await fetch("http://localhost/ping", { unix, method: "HEAD" });
  expect(await named(head)).toEqual({
    ...(await named(await fetch("http://localhost/ping", { unix }))),
    body: "",
  });
});

test("a port is one server's, of this process or another", async () => {
  const second = listen(config, stoppable(), join(dir, "second.sock"));
  expect(await second.catch((error) => error)).toEqual(
    new OperatorError(`127.0.0.1:${config.PORT} (HOST, PORT) is already taken by another process`),
  );
});

test("front ends of other origins are answered /ping with the headers that let them read it", async () => {
  const path = join(dir, "cross.sock");
  const own = stoppable();
  own.deps.config = { ...config, ALLOWED_ORIGINS: "https://app.example" };
  const second = await listen({ ...config, HOST: "" }, own, path);
  const answer = await fetch("http://localhost/ping", {
    unix: path,
    headers: { origin: "https://app.example" },
  });
  expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
  await second.stop();
});

test("while draining, the response to /ping asks to close the connection", async () => {
  const path = join(dir, "lingering.sock");
  const second = await listen({ ...config, HOST: "", DRAIN_LINGER_S: 1 }, stoppable(), path);
  let heard = "";
  const socket = connect(path);
  socket.on("data", (chunk) => {
    heard += chunk;
  });
  const ask = async () => {
    heard = "";
    socket.write("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (!heard.endsWith("OK")) await Bun.sleep(1);
    return heard;
  };
  expect(await ask()).not.toMatch(/^connection: close/im);
  const stopped = second.stop();
  expect(await ask()).toMatch(/^connection: close/im);
  await stopped;
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
  // The proxy names the requests that static responses answer.
  expect(answer.headers.has("x-request-id")).toBe(status !== 200);
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

const head =
  "POST /api/v1/access/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
test.each([
  ["an unknown method", "FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["TRACE", "TRACE /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["PROPFIND", "PROPFIND /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["OPTIONS", "OPTIONS /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["headers of 17 kB", `GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(17_000)}\r\n\r\n`],
  ["a method that would break a log line", 'G","x":"y /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [
    "chunks, and then a length",
    `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nG`,
  ],
  ["chunks by another name", `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["chunks twice", `${head}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ["a chunk of no size", `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
  ["two equal lengths", `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
  [
    "headers of 100 kB",
    `GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(100_000)}\r\n\r\n`,
  ],
  [
    "a length and chunks",
    `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
  ],
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
])(
  "%s is answered with a 4xx or the connection's end, and the server goes on",
  async (_what, bytes) => {
    expect(await raw(bytes)).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
    expect(await ping({ unix })).toBe("OK");
  },
);

test("a socket in use is left alone, and its server keeps answering", async () => {
  const alone = { ...config, HOST: "" };
  await expect(listen(alone, services, unix)).rejects.toThrow(OperatorError);
  expect(await ping({ unix })).toBe("OK");
});

test("a taken port is refused, and no socket is left behind", async () => {
  const other = join(dir, "other.sock");
  // Not by Bun.serve: in one process Bun lets two of those share a port.
  const taker = createServer().listen(0, "127.0.0.1");
  await once(taker, "listening");
  const { port } = taker.address() as AddressInfo;
  await expect(listen({ ...config, PORT: port }, services, other)).rejects.toThrow(OperatorError);
  taker.close();
  await expect(ping({ unix: other })).rejects.toThrow();
  expect(existsSync(other)).toBe(false);
});

test("a socket that a killed process left is replaced, and gone after the stop", async () => {
  const stale = join(dir, "stale.sock");
  killListener(stale);
  expect(existsSync(stale)).toBe(true);
  const second = await listen({ ...config, HOST: "" }, stoppable(), stale);
  expect(await ping({ unix: stale })).toBe("OK");
  await second.stop();
  expect(existsSync(stale)).toBe(false);
});

const OBSTACLES: Record<string, (path: string) => void> = {
  file: (path) => writeFileSync(path, "precious"),
  directory: (path) => mkdirSync(path),
  link: (path) => symlinkSync(join(dir, "nowhere"), path),
};
test.each(Object.entries(OBSTACLES))(
  "a %s in the socket's place is refused, and stays",
  async (what, put) => {
    const own = join(dir, `${what}.sock`);
    put(own);
    const refused = await listen({ ...config, HOST: "" }, stoppable(), own).catch((error) => error);
    expect(refused).toEqual(
      new OperatorError(`${own} (SOCKET_PATH) is in the way: it is not a socket`),
    );
    expect(lstatSync(own).isSocket()).toBe(false);
  },
);

test("it stops although its socket was removed, or a directory is in its place", async () => {
  for (const put of [() => {}, mkdirSync]) {
    const own = join(dir, "replaced.sock");
    const second = await listen({ ...config, HOST: "" }, stoppable(), own);
    rmSync(own);
    put(own);
    await second.stop();
  }
});

test("a request that is being answered when the stop comes is still answered, new ones are not taken", async () => {
  const path = join(dir, "drained.sock");
  const held = pendingVerification();
  const second = await listen({ ...config, HOST: "" }, held.services, path);
  const running = fetch("http://localhost/api/v1/access/me", {
    unix: path,
    headers: { cookie: "access_token=x" },
  });
  await held.isCalled;
  const stopped = second.stop();
  await expect(fetch("http://localhost/ping", { unix: path })).rejects.toThrow();
  held.reject();
  const answer = await running;
  expect([answer.status, answer.headers.get("connection")]).toEqual([401, "close"]);
  await stopped;
  expect(existsSync(path)).toBe(false);
});

test("a request that never ends is cut off when the time to stop is over", async () => {
  const path = join(dir, "cut.sock");
  const held = pendingVerification();
  const second = await listen({ ...config, HOST: "", DRAIN_TIMEOUT_S: 0 }, held.services, path);
  const running = fetch("http://localhost/api/v1/access/me", {
    unix: path,
    headers: { cookie: "access_token=x" },
  });
  const failed = running.then(
    () => false,
    () => true,
  );
  await held.isCalled;
  await second.stop();
  expect(await failed).toBe(true);
  expect(existsSync(path)).toBe(false);
});

/** A process that listened there and was killed: its socket's file stays. */
function killListener(path: string) {
  const script = `Bun.listen({ unix: ${JSON.stringify(path)}, socket: { data() {} } }); process.kill(process.pid, "SIGKILL");`;
  Bun.spawnSync([process.execPath, "-e", script]);
}

/** The services for a server of a test's own: stopping it does not drain the others. */
function stoppable(): Services {
  let isDraining = false;
  const drain = () => {
    isDraining = true;
  };
  return { ...services, drain, deps: { ...services.deps, isDraining: () => isDraining } };
}

/** Services whose token verification is pending until `reject` is called. */
function pendingVerification() {
  const [called, pending] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
  const own = stoppable();
  const verify = () => {
    called.resolve();
    return pending.promise;
  };
  return {
    services: { ...own, deps: { ...own.deps, tokens: { ...own.deps.tokens, verify } } },
    isCalled: called.promise,
    reject: () => pending.reject(invalidToken()),
  };
}
