import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { makeSignedIn } from "#test/fixtures.ts";
import { API } from "#test/paths.ts";
import { describeProxied, openProxiedApp, type ProxiedApp } from "#test/proxied-app.ts";
import { askRaw, parseAnswer, type RawAnswer, sendRaw, valuesOf } from "#test/raw-http.ts";

const CANARY = "Zq Canary Of Somebody Else";
const GET_PING = "GET /ping HTTP/1.1\r\nHost: localhost\r\n";
const POST = `POST ${API}/access/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
/** The smuggled prefix of another client's next request. */
const SMUGGLED =
  "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: smuggled-request\r\n\r\n";

const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describeProxied("hostile requests through the proxy", () => {
  let testbed: ProxiedApp;
  let mine: { as: string };
  let theirs: string;
  beforeAll(async () => {
    testbed = await openProxiedApp();
    mine = await makeSignedIn(testbed.api);
    const other = await makeSignedIn(testbed.api, { name: CANARY });
    const made = await testbed.api.post(`${API}/routines`, {
      as: other.as,
      body: { name: CANARY, exercises: [] },
    });
    theirs = `${API}/routines/${made.json.id}`;
  });
  afterAll(() => testbed?.close());

  test.each([
    [
      "chunks and a length",
      `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    ],
    [
      "a length and chunks",
      `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["two lengths", `${POST}Content-Length: 0\r\nContent-Length: 44\r\n\r\n`],
    ["two equal lengths", `${POST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
    ["a list of lengths", `${POST}Content-Length: 0, 44\r\n\r\n`],
    ["a signed length", `${POST}Content-Length: +0\r\n\r\n`],
    ["a length that is none", `${POST}Content-Length: 0x10\r\n\r\n`],
    ["a space before the colon", `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ["a folded coding", `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ["a coding by another name", `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    [
      "chunks twice",
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["a list of codings", `${POST}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n`],
    ["a coding after a tab", `${POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
    ["a chunk of no size", `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    [
      "a chunk with a negative size",
      `${POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n`,
    ],
    ["two hosts", `${GET_PING}Host: other.example\r\n\r\n`],
    ["no host", "GET /ping HTTP/1.1\r\n\r\n"],
    ["a bare carriage return", `${GET_PING}X: a\rY: b\r\n\r\n`],
    ["NUL in a header", `${GET_PING}X: a\0b\r\n\r\n`],
    ["HTTP/3.0 in the line", "GET /ping HTTP/3.0\r\nHost: localhost\r\n\r\n"],
    ["no HTTP at all", "\0\x01\x02\r\n\r\n"],
  ])("%s: refused by the proxy, which then closes the connection", async (_what, bytes) => {
    const answered = await sendRaw(testbed.plain("127.0.1.1"), bytes + SMUGGLED);
    const statuses = statusesIn(answered);
    expect(statuses.length).toBeLessThanOrEqual(1);
    for (const status of statuses) {
      expect([400, 413, 501, 505]).toContain(status);
      expect(valuesOf(parseAnswer(answered), "content-type")).toEqual(["application/problem+json"]);
    }
    expect(answered).not.toContain("smuggled-request");
    await expectOwnAnswers();
  });

  test.each([
    ["lines that end with a bare newline", `${GET_PING.replaceAll("\r", "")}\n`, [200, 404]],
    [
      "a body where none is expected",
      `${GET_PING}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
      [200, 404],
    ],
    [
      "headers that hop",
      `${GET_PING}Connection: close, X-Real-IP, Cookie\r\nUpgrade: h2c\r\n\r\n`,
      [200],
    ],
    [
      "an offer of HTTP/2",
      `${GET_PING}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`,
      [200, 404],
    ],
  ])(
    "%s: parsed in one way, so that each request has exactly one response",
    async (_what, bytes, statuses) => {
      const last = SMUGGLED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
      expect(statusesIn(await sendRaw(testbed.plain("127.0.1.2"), bytes + last))).toEqual(statuses);
      await expectOwnAnswers();
    },
  );

  /**
   * Other clients, whose requests may use the same connections to the workers as the attacker's,
   * get their own responses.
   */
  async function expectOwnAnswers() {
    const ids = Array.from({ length: 4 }, () => `bystander-${crypto.randomUUID()}`);
    const answers = await Promise.all(
      ids.map((id) =>
        askRaw(testbed.plain(nextAddress()), "GET", "/ping", { headers: { "X-Request-ID": id } }),
      ),
    );
    for (const [at, answer] of answers.entries())
      expect([answer.status, answer.body, ...valuesOf(answer, "x-request-id")]).toEqual([
        200,
        "OK",
        ids[at] as string,
      ]);
  }

  test.each([
    [(path: string) => `/${path}`, "an empty first segment"],
    [(path: string) => path.replace("routines/", "routines//"), "an empty segment"],
    [(path: string) => path.replace("routines/", "routines/./"), "a dot"],
    [(path: string) => path.replace("routines/", "users/../routines/"), "two dots"],
    [(path: string) => path.replace("routines/", "users/%2e%2e/routines/"), "two dots, escaped"],
    [(path: string) => path.replace("routines/", "users/%2E./routines/"), "two dots, half escaped"],
    [
      (path: string) => path.replace("routines/", "users/..%2froutines/"),
      "two dots and an escaped slash",
    ],
    [(path: string) => path.replace("routines/", "routines%2f"), "an escaped slash"],
    [(path: string) => path.replace("routines/", "routines%5c"), "an escaped backslash"],
    [(path: string) => path.replace("routines/", "routines\\"), "a backslash"],
    [(path: string) => path.replace("routines/", "routines;v=1/"), "a parameter"],
    [(path: string) => path.replace("routines", "rout%69nes"), "an escaped letter"],
    [(path: string) => path.replace("routines", "rout%2569nes"), "a letter escaped twice"],
    [(path: string) => path.replace("routines", "ROUTINES"), "capitals"],
    [(path: string) => `${path}%00`, "NUL, escaped"],
    [(path: string) => `${path}\0`, "NUL"],
    [(path: string) => `${path}#a`, "a fragment"],
    [(path: string) => `${path}%`, "half an escape"],
    [(path: string) => `${path}%c0%af`, "a slash in overlong UTF-8"],
    [(path: string) => `${path}/`, "a slash at the end"],
    [(path: string) => `${path}?x=/../`, "dots in the query"],
    [(path: string) => `http://localhost${path}`, "a whole URL"],
    [(path: string) => `http://other.example${path}`, "a URL of another host"],
  ])(
    "%p does not show the routine of another user, and the proxy and the application agree (%s)",
    async (trick) => {
      const headers = { Cookie: mine.as };
      const [worker = ""] = testbed.workers;
      const own = await testbed.api.post(`${API}/routines`, {
        as: mine.as,
        body: { name: "Mine", exercises: [] },
      });
      for (const path of [trick(theirs), trick(`${API}/routines/${own.json.id}`)]) {
        const proxied = await askRaw(testbed.plain("127.0.1.3"), "GET", path, { headers }).catch(
          closed,
        );
        const direct = await askRaw({ path: worker }, "GET", path, { headers }).catch(closed);
        expect(proxied.body + direct.body).not.toContain(CANARY);
        // The edge and the application must parse every request that is not refused alike.
        if (proxied.status !== 400 && proxied.status !== 0)
          expect(proxied.status).toBe(direct.status);
      }
    },
  );

  test("6,000 requests with unknown methods do not disturb another client at 50 requests per second", async () => {
    let isOver = false;
    const flood = Promise.all(
      Array.from({ length: 20 }, (_, at) => floodUnknown(testbed.plain(`127.0.2.${at + 1}`), 300)),
    );
    void flood.then(() => {
      isOver = true;
    });
    const bystander: Promise<RawAnswer>[] = [];
    while (!isOver || bystander.length < 50) {
      bystander.push(askRaw(testbed.plain("127.0.1.4"), "GET", "/ping"));
      await Bun.sleep(20);
    }
    expect((await flood).flat().filter((status) => status !== 405)).toEqual([]);
    expect((await flood).flat()).toHaveLength(6000);
    expect(new Set((await Promise.all(bystander)).map(({ status }) => status))).toEqual(
      new Set([200]),
    );
  }, 60_000);

  let addressCount = 0;
  const nextAddress = () => `127.0.3.${1 + (addressCount++ % 200)}`;
});

const closed = (): RawAnswer => ({ status: 0, headers: [], body: "" });

/** Sends `count` requests in sequence on one connection and returns their statuses. */
function floodUnknown(
  { port, from }: { port: number; from?: string },
  count: number,
): Promise<number[]> {
  return new Promise((resolve) => {
    const statuses: number[] = [];
    const socket = connect({ host: "127.0.0.1", port, ...(from ? { localAddress: from } : {}) });
    const ask = () => socket.write("FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    socket.on("connect", ask);
    socket.on("data", (chunk: Buffer) => {
      statuses.push(...statusesIn(chunk.toString("latin1")));
      if (statuses.length < count) ask();
      else socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(statuses));
  });
}
