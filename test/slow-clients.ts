import { connect, type Socket } from "node:net";

/** What slow clients are told, as JSON in the first argument. */
export type SlowClients = {
  port: number;
  /** Each client uses one of 127.<network>.0.1 and so on. */
  network: number;
  addressCount: number;
  connectionCount: number;
  /** What comes slowly: the request's header, its body, or the reading of the answer. */
  slow: "header" | "body" | "reading";
  /** A connection that is ended is opened anew until this is over. */
  holdMs: number;
  /** After that, how long to wait until the other side has ended them all. */
  patienceMs: number;
};

/** What they say at the end, as JSON on stdout. */
export type SlowOutcome = {
  openedCount: number;
  /** The most that were open at once. */
  mostOpenCount: number;
  /** Those that the other side had not ended when patience was over. */
  leftCount: number;
  longestLifeMs: number;
  /** Answers by status. */
  answers: Record<string, number>;
};

const LONG = "/docs/swagger-ui-bundle.js";
const HEAD = "Host: localhost\r\nContent-Type: application/json\r\n";

// A process of its own, so that whoever measures has an event loop to itself.
const told: SlowClients = JSON.parse(process.argv[2] ?? "{}");
const outcome: SlowOutcome = {
  openedCount: 0,
  mostOpenCount: 0,
  leftCount: 0,
  longestLifeMs: 0,
  answers: {},
};
const open = new Map<Socket, number>();
const startedMs = performance.now();

for (let at = 0; at < told.connectionCount; at++) {
  openOne(at);
  // Not all in one moment: the queue of connections to be accepted has 511 places.
  if (at % 50 === 49) await Bun.sleep(10);
}
console.error(`${open.size} open`);
const trickle = setInterval(() => {
  for (const socket of open.keys())
    if (told.slow !== "reading" && socket.writable) socket.write("x");
}, 1000);
while (performance.now() - startedMs < told.holdMs) await Bun.sleep(50);
for (
  const deadline = performance.now() + told.patienceMs;
  open.size > 0 && performance.now() < deadline;
)
  await Bun.sleep(50);
clearInterval(trickle);
outcome.leftCount = open.size;
console.log(JSON.stringify(outcome));
process.exit(0);

function openOne(at: number) {
  const last = at % told.addressCount;
  const localAddress = `127.${told.network}.${Math.floor(last / 250)}.${1 + (last % 250)}`;
  const socket = connect({ host: "127.0.0.1", port: told.port, localAddress }, () => {
    open.set(socket, performance.now());
    outcome.openedCount++;
    outcome.mostOpenCount = Math.max(outcome.mostOpenCount, open.size);
    if (told.slow === "header") socket.write("GET /ping HTTP/1.1\r\nX-Slow: ");
    if (told.slow === "body")
      socket.write(`POST /api/v1/access/signin HTTP/1.1\r\n${HEAD}Content-Length: 100000\r\n\r\n{`);
    // More than the buffers between us hold.
    if (told.slow === "reading") socket.write(`GET ${LONG} HTTP/1.1\r\n${HEAD}\r\n`.repeat(20));
  });
  if (told.slow === "reading") socket.pause();
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
    if (told.slow === "header" && performance.now() - startedMs < told.holdMs) openOne(at);
  });
}
