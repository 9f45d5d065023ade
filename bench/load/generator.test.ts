import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import type { Target } from "./connections.ts";
import { generate, type LoadModel } from "./generator.ts";
import { figuresOf } from "./recording.ts";

const GET = Buffer.from("GET /thing HTTP/1.1\r\nHost: localhost\r\n\r\n");
const answerOf = (body: string, headers = "") =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

type Answers = (connection: Socket<{ received: number; answered: number }>, bytes: number) => void;

/**
 * Runs `work` with a server on a Unix socket, and with one on a loopback port, that calls `answers`
 * for received bytes.
 */
async function withServer(answers: Answers, work: (target: Target) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-connections-"));
  const socket = {
    open: (connection: Socket<{ received: number; answered: number }>) => {
      connection.data = { received: 0, answered: 0 };
    },
    data: (connection: Socket<{ received: number; answered: number }>, chunk: Buffer) => {
      connection.data.received += chunk.byteLength;
      answers(connection, connection.data.received);
    },
  };
  const unix = Bun.listen({ unix: join(directory, "a.sock"), socket });
  const tcp = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  try {
    await work({ unix: join(directory, "a.sock") });
    await work({ hostname: "127.0.0.1", port: tcp.port });
  } finally {
    unix.stop(true);
    tcp.stop(true);
    rmSync(directory, { recursive: true });
  }
}

/** Calls `answer` for each complete request of `size` bytes. */
const forEachRequest =
  (
    size: number,
    answer: (connection: Socket<{ received: number; answered: number }>) => void,
  ): Answers =>
  (connection, received) => {
    while (connection.data.answered < Math.floor(received / size)) {
      connection.data.answered++;
      answer(connection);
    }
  };

const run = (target: Target, load: LoadModel, request: Uint8Array = GET, connections = 4) =>
  generate({ target, requests: [request], connections, load });

const PLANS: LoadModel[] = [
  { model: "constant", rate: 500, durationMs: 100 },
  { model: "poisson", rate: 500, durationMs: 100 },
  { model: "ramp", rate: 200, toRate: 800, durationMs: 100 },
  { model: "replay", dueMs: [0, 1, 1, 2, 50] },
  { model: "closed", durationMs: 10_000, maxRequests: 50 },
];

test.each(PLANS)("$model: every request is answered once, over Unix sockets and TCP", (load) =>
  withServer(
    forEachRequest(GET.length, (connection) => connection.write(answerOf("hello"))),
    async (target) => {
      const recording = await run(target, load);
      const figures = figuresOf(recording);
      expect(recording.due.length).toBeGreaterThan(0);
      expect(figures).toMatchObject({ requests: recording.due.length, failures: 0 });
      expect(recording.bodyBytes.every((bytes) => bytes === 5)).toBe(true);
      if (load.model === "replay") expect([...recording.due]).toEqual(load.dueMs);
      if (load.model === "closed") expect(recording.due).toHaveLength(50);
    },
  ),
);

test("connections that the server closes are reopened, and no request is lost", () =>
  withServer(
    forEachRequest(GET.length, (connection) => {
      const isLast = connection.data.answered === 3;
      connection.write(answerOf("bye", isLast ? "Connection: close\r\n" : ""));
      if (isLast) connection.end();
    }),
    async (target) => {
      const figures = figuresOf(
        await run(target, { model: "constant", rate: 400, durationMs: 250 }),
      );
      expect(figures).toMatchObject({ requests: 100, failures: 0 });
    },
  ));

test("a connection lost before its answer is a single failure", () =>
  withServer(
    forEachRequest(GET.length, (connection) => {
      if (connection.data.answered === 5) connection.terminate();
      else connection.write(answerOf("hello"));
    }),
    async (target) => {
      const load = { model: "closed", durationMs: 10_000, maxRequests: 50 } as const;
      const { requests, failures } = figuresOf(await run(target, load, GET, 1));
      expect({ requests, failures }).toEqual({ requests: 50, failures: 10 });
    },
  ));

test("bytes on an idle connection are not an answer, and the connection is not used again", () =>
  withServer(
    forEachRequest(GET.length, (connection) => {
      connection.write(answerOf("hello"));
      setTimeout(
        () => connection.end("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
        5,
      );
    }),
    async (target) => {
      const load = { model: "constant", rate: 5, durationMs: 600 } as const;
      const { due, status } = await run(target, load, GET, 1);
      expect({ requests: due.length, statuses: [...new Set(status)] }).toEqual({
        requests: 3,
        statuses: [200],
      });
    },
  ));

test("malformed bytes are a failure", () =>
  withServer(
    forEachRequest(GET.length, (connection) => {
      if (connection.data.answered === 2) connection.write("SSH-2.0-x\r\n\r\n");
      else if (connection.data.answered === 1) connection.write(answerOf("hello"));
    }),
    async (target) => {
      const load = { model: "closed", durationMs: 10_000, maxRequests: 20 } as const;
      const { requests, failures } = figuresOf(await run(target, load, GET, 1));
      expect({ requests, failures }).toEqual({ requests: 20, failures: 10 });
    },
  ));

test("after the server exits, requests that were due and never sent are failures too, and the load ends", async () => {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-connections-"));
  const unix = join(directory, "a.sock");
  let answered = 0;
  const server = Bun.listen({
    unix,
    socket: {
      data: (connection) => {
        if (++answered <= 3) return void connection.write(answerOf("hello"));
        server.stop(true);
        rmSync(unix, { force: true });
      },
    },
  });
  const load = { model: "constant", rate: 200, durationMs: 100 } as const;
  const recording = await generate({
    target: { unix },
    requests: [GET],
    connections: 2,
    load,
    drainMs: 50,
  });
  expect(figuresOf(recording)).toMatchObject({ requests: 20, failures: 17 });
  rmSync(directory, { recursive: true });
});

test("large requests and large chunked answers are transferred", () => {
  const upload = Buffer.alloc(3_000_000, "x");
  const chunk = "y".repeat(0x40000);
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`40000\r\n${chunk}\r\n`.repeat(8)}0\r\n\r\n`;
  return withServer(
    forEachRequest(upload.length, (connection) => {
      let unsent: Uint8Array = Buffer.from(chunked);
      // Writes again when the socket's buffer has room.
      const write = () => {
        const written = connection.write(unsent);
        unsent = unsent.subarray(Math.max(written, 0));
        if (unsent.length > 0) setTimeout(write, 1);
      };
      write();
    }),
    async (target) => {
      const recording = await run(
        target,
        { model: "closed", durationMs: 10_000, maxRequests: 6 },
        upload,
        2,
      );
      expect(figuresOf(recording)).toMatchObject({ requests: 6, failures: 0 });
      expect([...recording.bodyBytes]).toEqual(Array(6).fill(8 * 0x40000));
    },
  );
});
