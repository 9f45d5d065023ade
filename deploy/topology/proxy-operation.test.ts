import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { API } from "#test/paths.ts";
import { describeProxied, openProxiedApp, type ProxiedApp } from "#test/proxied-app.ts";
import { expectEdgeProblem } from "#test/proxy-responses.ts";
import { askRaw, sendRaw } from "#test/raw-http.ts";
import { startProxy } from "./proxy.ts";

const JSON_BODY = { "Content-Type": "application/json" };

describeProxied("the operation of the proxy", () => {
  let testbed: ProxiedApp;
  beforeAll(async () => {
    testbed = await openProxiedApp();
  });
  afterAll(() => testbed?.close());

  test.each([
    ["in the handshake", "other.example", "localhost"],
    ["in the request", "localhost", "other.example"],
  ])("an unknown host name %s closes the connection", async (_where, servername, host) => {
    const { ca } = testbed.tls().tls as { ca: string };
    const target = { ...testbed.tls(), tls: { ca, servername } };
    expect(await sendRaw(target, `GET /ping HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toBe("");
  });

  test("plain HTTP on the TLS port is refused, and closed for an unknown host name", async () => {
    const { port } = testbed.tls();
    expectEdgeProblem(await askRaw({ port }, "GET", "/ping"), 400, "malformed_request");
    expect(await sendRaw({ port }, "GET /ping HTTP/1.1\r\nHost: other.example\r\n\r\n")).toBe("");
  });

  test("the access log has the duration and worker of each request, and nothing that people typed", async () => {
    const headers = { "X-Request-ID": "logged-request-1" };
    await askRaw(testbed.tls(), "GET", `${API}/linked/secretsecretsecretsecret?search=typed`, {
      headers,
    });
    const read = () => readFileSync(testbed.proxy.accessLog, "utf8");
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
    expect(testbed.workers.map((path) => `unix:${path}`)).toContain(entry.worker);
    expect(Number(entry.upstreamS)).toBeGreaterThanOrEqual(0);
    expect(log).not.toContain("secretsecret");
    expect(log).not.toContain("typed");
  });

  test("an invalid configuration is refused, and the running one stays in use", async () => {
    await expect(testbed.proxy.reload(["127.0.0.1:99999"])).rejects.toThrow(OperatorError);
    expect((await askRaw(testbed.plain(), "GET", "/ping")).status).toBe(200);
    await testbed.proxy.reload();
  });

  test("without a worker the edge answers 502 with a problem, and recovers once there is one", async () => {
    const [gone, unix] = [
      join(testbed.proxy.accessLog, "../gone.sock"),
      join(testbed.proxy.accessLog, "../edge.sock"),
    ];
    const proxy = await startProxy({
      directory: join(testbed.proxy.accessLog, "../single"),
      workerSockets: [gone],
      listen: { unix },
      variant: "bench",
    });
    try {
      expectEdgeProblem(await askRaw({ path: unix }, "GET", "/ping"), 502, "unreachable");
      await proxy.reload([gone, ...testbed.workers]);
      const posts = Array.from({ length: 10 }, () =>
        askRaw({ path: unix }, "POST", `${API}/access/signup`, { headers: JSON_BODY, body: "{" }),
      );
      expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(
        new Set([400]),
      );
    } finally {
      await proxy.stop();
    }
  });
});

test("the error for a missing program names its package", async () => {
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
