import { expect, test } from "bun:test";
import { connect } from "node:net";
import { makeSignedIn } from "#test/fixtures.ts";
import { withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";
import { withSocketServer } from "#test/socket-server.ts";

/** Sends the head of a request and a part of its body, then resets the connection. */
function hangUp(socketPath: string, head: string[], part: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => {
      socket.write(`${head.join("\r\n")}\r\n\r\n${part}`, () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      );
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}

test.each([
  [
    "a body with Content-Length",
    "POST",
    `${API}/routines`,
    "application/json",
    "Content-Length: 1000",
    '{"name":',
  ],
  [
    "a body in chunks",
    "POST",
    `${API}/routines`,
    "application/json",
    "Transfer-Encoding: chunked",
    '8\r\n{"name":\r\n',
  ],
  [
    "a file",
    "POST",
    `${API}/imports?timeZone=UTC`,
    "text/csv",
    "Content-Length: 100000",
    "Date,Workout Name\n",
  ],
  [
    "a file in chunks",
    "POST",
    `${API}/imports?timeZone=UTC`,
    "text/csv",
    "Transfer-Encoding: chunked",
    "5\r\nDate,\r\n",
  ],
])(
  "a client that hangs up while it sends %s is logged as 499, not as an error of the server",
  (_what, method, path, type, framing, part) => {
    const lines: string[] = [];
    return withApi(
      async (api) => {
        const { as } = await makeSignedIn(api);
        const head = [
          `${method} ${path} HTTP/1.1`,
          "Host: localhost",
          `Cookie: ${as}`,
          `Content-Type: ${type}`,
          framing,
        ];
        await withSocketServer(api, async (unix) => {
          await hangUp(unix, head, part);
          const logged = () =>
            lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === "request");
          for (let waited = 0; !logged() && waited < 5000; waited += 10) await Bun.sleep(10);
          expect(logged()?.status).toBe(499);
          expect(lines.filter((line) => line.includes("request failed"))).toEqual([]);
          expect(api.deps.requests.aborted).toBe(1);
          expect(api.deps.requests.inFlight).toBe(0);
        });
      },
      { logTo: { write: (line: string) => void lines.push(...line.trim().split("\n")) } },
    )();
  },
);
