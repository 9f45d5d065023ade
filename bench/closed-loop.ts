import type { Socket } from "bun";

export type Load = { requests: number; elapsedMs: number; failures: number };

type Connection = { pending: Uint8Array[]; length: number; needed: number };

const HEADER_END = Buffer.from("\r\n\r\n");

/**
 * Sends `requests`, one after the other and again from the first, over `connections` to a Unix socket, each connection's
 * next as soon as its last is answered, for `durationMs`. Answers need a Content-Length. `failures` counts answers that are not 2xx or 304.
 */
export async function closedLoop(
  unix: string,
  requests: string[],
  connections: number,
  durationMs: number,
): Promise<Load> {
  const load: Load = { requests: 0, elapsedMs: 0, failures: 0 };
  const started = performance.now();
  const texts = requests.map((request) => Buffer.from(request));
  let sent = 0;
  const next = () => texts[sent++ % texts.length] as Buffer;
  const isOver = () => performance.now() - started >= durationMs;
  const finished = Array.from({ length: connections }, () => {
    return new Promise<void>((resolve, reject) => {
      const onAnswer = (socket: Socket<Connection>) => {
        load.requests++;
        if (isOver()) socket.end();
        else socket.write(next());
      };
      void Bun.connect<Connection>({
        unix,
        data: { pending: [], length: 0, needed: 0 },
        socket: {
          open: (socket) => void socket.write(next()),
          data: (socket, chunk) => {
            if (receive(socket.data, chunk, load)) onAnswer(socket);
          },
          close: () => resolve(),
          error: (_socket, error) => reject(error),
        },
      }).catch(reject);
    });
  });
  await Promise.all(finished);
  load.elapsedMs = performance.now() - started;
  return load;
}

/** Takes in a chunk; true when it completes the answer. */
function receive(connection: Connection, chunk: Uint8Array, load: Load): boolean {
  connection.pending.push(chunk);
  connection.length += chunk.length;
  if (connection.needed === 0) {
    const head = connection.pending.length === 1 ? Buffer.from(chunk) : Buffer.concat(connection.pending);
    const end = head.indexOf(HEADER_END);
    if (end < 0) return false;
    const header = head.subarray(0, end).toString("latin1");
    const status = header.slice(9, 12);
    if (!status.startsWith("2") && status !== "304") load.failures++;
    connection.needed = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(header)?.[1] ?? 0);
  }
  if (connection.length < connection.needed) return false;
  connection.pending = [];
  connection.length = 0;
  connection.needed = 0;
  return true;
}
