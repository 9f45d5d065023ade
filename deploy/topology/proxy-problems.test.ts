import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { faultsOf } from "#src/http/shapes.ts";
import { Problem } from "#src/operations/openapi.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { API } from "#test/paths.ts";
import { describeProxied, openProxiedApp, type ProxiedApp } from "#test/proxied-app.ts";
import { askRaw, parseAnswer, type RawAnswer, sendRaw, valuesOf } from "#test/raw-http.ts";

const MEBIBYTE = 2 ** 20;
const ROOT = join(import.meta.dir, "../..");

describeProxied("responses of the proxy are problems or come from the application", () => {
  let proxied: ProxiedApp;
  let session: ClientHttp2Session;
  beforeAll(async () => {
    proxied = await openProxiedApp();
    const ca = readFileSync(proxied.proxy.certificateFile, "utf8");
    session = connectHttp2(proxied.proxy.urls.tls as string, { ca });
  });
  afterAll(async () => {
    session?.destroy();
    await proxied?.close();
  });

  function askHttp2(headers: Record<string, string>, body?: Uint8Array): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const stream = session.request(headers, { endStream: body === undefined });
      let status = 0;
      const given: [string, string][] = [];
      let text = "";
      stream.on("response", (answered) => {
        status = Number(answered[":status"]);
        for (const [name, value] of Object.entries(answered))
          for (const each of [value ?? ""].flat()) given.push([name, String(each)]);
      });
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on("error", (error) =>
        status === 0 ? reject(error) : resolve({ status, headers: given, body: text }),
      );
      stream.on("close", () => resolve({ status, headers: given, body: text }));
      if (body) stream.end(body);
    });
  }

  function expectProblem(answer: RawAnswer, status: number, code: string) {
    expect([answer.status, ...valuesOf(answer, "content-type")]).toEqual([
      status,
      "application/problem+json",
    ]);
    const problem = JSON.parse(answer.body);
    expect(faultsOf(Problem, problem)).toEqual([]);
    expect([problem.status, problem.code]).toEqual([status, code]);
  }

  test("a body beyond the limit over HTTP/2, with or without a length, is refused with a problem", async () => {
    const post = { ":method": "POST", "content-type": "application/json" };
    const body = new Uint8Array(MEBIBYTE + 1);
    const long = { ...post, "content-length": String(body.byteLength) };
    expectProblem(
      await askHttp2({ ...long, ":path": `${API}/routines` }, body),
      413,
      "body_too_large",
    );
    expectProblem(
      await askHttp2({ ...post, ":path": `${API}/routines` }, body),
      413,
      "body_too_large",
    );
    const file = new Uint8Array(16 * MEBIBYTE + 1);
    expectProblem(
      await askHttp2({ ...post, ":path": `${API}/archive` }, file),
      413,
      "body_too_large",
    );
  });

  test.each([
    ["/routines", 1],
    ["/archive", 16],
  ])("chunks to %s beyond %i MiB are refused with a problem", async (path, limitMib) => {
    const head = `POST ${API}${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = Buffer.concat([
      Buffer.from("100000\r\n"),
      Buffer.alloc(MEBIBYTE),
      Buffer.from("\r\n"),
    ]);
    const chunks = Array.from({ length: limitMib + 1 }, () => chunk);
    const bytes = Buffer.concat([Buffer.from(head), ...chunks, Buffer.from("0\r\n\r\n")]);
    expectProblem(parseAnswer(await sendRaw(proxied.plain(), bytes)), 413, "body_too_large");
  });

  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`X-Small-${n}`, "1"]));

  test.each([
    ["200 small headers", "/ping", many(200), 200, undefined],
    ["600 small headers", "/ping", many(600), 200, undefined],
    [
      "a control character in a header that is not read",
      "/ping",
      { "X-Other": "a\x01b" },
      200,
      undefined,
    ],
    [
      "a control character in a header that is",
      "/ping",
      { "User-Agent": "a\x01b" },
      400,
      "malformed_request",
    ],
    ["an escape in a cookie", "/ping", { Cookie: "a=\x1b[0m" }, 400, "malformed_request"],
    ["a range past the end", "/docs/swagger-ui.css", { Range: "bytes=99999999-" }, 200, undefined],
    ["a range", "/openapi.json", { Range: "bytes=0-3" }, 200, undefined],
  ])(
    "%s: a complete response or a problem, over HTTP/1.1",
    async (_what, path, headers, status, code) => {
      const answer = await askRaw(proxied.tls(), "GET", path, {
        headers: headers as Record<string, string>,
      });
      if (code) return expectProblem(answer, status, code);
      expect(answer.status).toBe(status);
      expect(answer.body).not.toBe("");
    },
  );

  test("request lines and headers of every length are passed on or refused with a problem, never by the worker", async () => {
    const statuses = new Set<number>();
    for (let length = 7000; length <= 8100; length += 100) {
      const headers = {
        Cookie: "c".repeat(length - 20),
        "User-Agent": "u".repeat(length > 7600 ? 900 : 300),
      };
      const answer = await askRaw(proxied.tls(), "GET", `/ping?${"q".repeat(length)}`, { headers });
      statuses.add(answer.status);
      if (answer.status !== 200)
        expectProblem(
          answer,
          answer.status,
          answer.status === 431 ? "headers_too_large" : "uri_too_long",
        );
    }
    expect(statuses.size).toBeGreaterThanOrEqual(2);
  });

  test("a worker alone serves assets complete, for every requested range", async () => {
    const [path = ""] = proxied.workers;
    const answer = await askRaw({ path }, "GET", "/docs/swagger-ui.css", {
      headers: { Range: "bytes=99999999-" },
    });
    expect([answer.status, answer.body.length > 100_000]).toEqual([200, true]);
  });

  test("every header that the application reads is passed on to it", () => {
    const isSource = (file: string) => file.endsWith(".ts") && !file.endsWith(".test.ts");
    const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter(
      isSource,
    );
    const read = new Set(
      sources.flatMap((file) =>
        [
          ...readFileSync(join(ROOT, "src", file), "utf8").matchAll(
            /headers\s*\.(?:get|has)\("([a-z-]+)"\)/g,
          ),
        ].map(([, name]) => name as string),
      ),
    );
    expect(read.size).toBeGreaterThan(10);
    const passed = readFileSync(join(ROOT, "angie/snippets/proxying.conf"), "utf8").matchAll(
      /^proxy_set_header (\S+)/gm,
    );
    const names = new Set([...passed].map(([, name]) => (name as string).toLowerCase()));
    // The proxy's module sends the body's length by itself.
    expect([...read].filter((name) => !names.has(name) && name !== "content-length")).toEqual([]);
  });

  test("a response has one Vary header, which includes Accept-Encoding", async () => {
    const { as } = await makeSignedIn(proxied.api);
    const paths = [
      "/openapi.json",
      "/docs",
      `${API}/exercises?pageSize=100`,
      `${API}/catalogs/equipment`,
      `${API}/access/me`,
    ];
    for (const path of [...paths, "/nothing", "/a//b"]) {
      for (const coding of ["gzip", "identity"]) {
        const headers = { Cookie: as, "Accept-Encoding": coding };
        const vary = valuesOf(await askRaw(proxied.tls(), "GET", path, { headers }), "vary");
        expect([path, vary.length]).toEqual([path, 1]);
        expect([path, ...vary.join().matchAll(/accept-encoding/gi)].length).toBe(2);
      }
    }
  });

  test("an unknown host name gives 421 over HTTP/2, and the connection stays open", async () => {
    const other = await askHttp2({ ":path": "/ping", ":authority": "other.example" });
    expectProblem(other, 421, "misdirected_request");
    expect((await askHttp2({ ":path": "/ping" })).status).toBe(200);
  });
});
