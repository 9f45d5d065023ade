import { connect, type Socket } from "node:net";

/** The options of the slow clients, as JSON in the first argument. */
export type SlowClients = {
  port: number;
  /** Each client uses one of 127.<network>.0.1 and so on. */
  network: number;
  addressCount: number;
  connectionCount: number;
  /** The slow part: sending the header, sending the body, or reading the response. */
  slow: "header" | "body" | "reading";
  /** During this time, closed connections are reopened. */
  holdMs: number;
  /** Afterwards, how long to wait until the server has closed all connections. */
  patienceMs: number;
};

/** The result, as JSON on stdout. */
export type SlowOutcome = {
  openedCount: number;
  /** The maximum number of open connections. */
  mostOpenCount: number;
  /** Connections that the server had not closed at the end. */
  leftCount: number;
  longestLifeMs: number;
  /** Answers by status. */
  answers: Record<string, number>;
};

const LONG = "/docs/swagger-ui-bundle.js";
const HEAD = "Host: localhost\r\nContent-Type: application/json\r\n";

// Runs in a separate process, so that it does not disturb the event loop of the test.
const options: SlowClients = JSON.parse(process.argv[2] ?? "{}");
const outcome: SlowOutcome = {
  openedCount: 0,
  mostOpenCount: 0,
  leftCount: 0,
  longestLifeMs: 0,
  answers: {},
};
const open = new Map<Socket, number>();
const startedMs = performance.now();

for (let index = 0; index < options.connectionCount; index++) {
  openOne(index);
  // Not all at once, because the accept queue of the server has 511 entries.
  if (index % 50 === 49) await Bun.sleep(10);
}
console.error(`${open.size} open`);
const trickle = setInterval(() => {
  for (const socket of open.keys())
    if (options.slow !== "reading" && socket.writable) socket.write("x");
}, 1000);
while (performance.now() - startedMs < options.holdMs) await Bun.sleep(50);
for (
  const deadline = performance.now() + options.patienceMs;
  open.size > 0 && performance.now() < deadline;
)
  await Bun.sleep(50);
clearInterval(trickle);
outcome.leftCount = open.size;
console.log(JSON.stringify(outcome));
process.exit(0);

function openOne(index: number) {
  const last = index % options.addressCount;
  const localAddress = `127.${options.network}.${Math.floor(last / 250)}.${1 + (last % 250)}`;
  const socket = connect({ host: "127.0.0.1", port: options.port, localAddress }, () => {
    open.set(socket, performance.now());
    outcome.openedCount++;
    outcome.mostOpenCount = Math.max(outcome.mostOpenCount, open.size);
    if (options.slow === "header") socket.write("GET /ping HTTP/1.1\r\nX-Slow: ");
    if (options.slow === "body")
      socket.write(`POST /api/v1/access/signin HTTP/1.1\r\n${HEAD}Content-Length: 100000\r\n\r\n{`);
    // The responses are larger than all buffers on the way.
    if (options.slow === "reading") socket.write(`GET ${LONG} HTTP/1.1\r\n${HEAD}\r\n`.repeat(20));
  });
  if (options.slow === "reading") socket.pause();
  socket.on("data", (chunk: Buffer) => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString("latin1"))?.[1];
    if (status) outcome.answers[status] = (outcome.answers[status] ?? 0) + 1;
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    const openedMs = open.get(socket);
    if (openedMs !== undefined)
      outcome.longestLifeMs = Math.max(outcome.longestLifeMs, performance.now() - openedMs);
    open.delete(socket);
    if (options.slow === "header" && performance.now() - startedMs < options.holdMs) openOne(index);
  });
}
