import type { Socket } from "bun";
import { type Answer, createParser } from "./http-parser.ts";

export type Target = { unix: string } | { hostname: string; port: number };

/** A connection with at most one outstanding request. */
export type Connection = { isOpen: boolean; send(request: Uint8Array, index: number): void };

/** How a request ended. */
export type Outcome = Omit<Answer, "isLast">;

export type ConnectionEvents = {
  /** The connection may send: it was just opened, or its last request is answered. */
  onIdle(connection: Connection): void;
  /**
   * Request `index` is answered; the status is 0 if the connection was lost or the bytes are not an
   * HTTP answer. Called before `onIdle`.
   */
  onAnswer(index: number, answer: Outcome): void;
};

export type ConnectionPool = { close(): void };

const NONE = -1;
const LOST: Outcome = { status: 0, retryAfterS: 0, bodyBytes: 0 };

/**
 * Opens `count` connections, and reopens each that is lost. Rejects if one cannot be opened at
 * first.
 */
export async function openConnections(
  target: Target,
  count: number,
  events: ConnectionEvents,
): Promise<ConnectionPool> {
  let isClosed = false;
  const sockets = new Set<Socket<undefined>>();

  async function open(): Promise<void> {
    const parser = createParser();
    let index = NONE;
    /** Bytes that did not fit into the socket's buffer. */
    let unsent: Uint8Array | undefined;
    const write = (socket: Socket<undefined>, bytes: Uint8Array) => {
      const written = socket.write(bytes);
      if (written < 0) socket.terminate();
      else unsent = written < bytes.length ? bytes.subarray(written) : undefined;
    };
    const settle = (outcome: Outcome) => {
      const answered = index;
      index = NONE;
      events.onAnswer(answered, outcome);
    };
    const connection: Connection = {
      isOpen: true,
      send: (request, requestIndex) => {
        index = requestIndex;
        write(socket, request);
      },
    };
    const socket = await Bun.connect<undefined>({
      ...target,
      socket: {
        data: (socket, chunk) => {
          // Unrequested bytes, such as a 408 before the server closes, are not an answer.
          const answer = index === NONE ? "unrequested" : answerIn(chunk);
          if (answer === undefined) return;
          if (typeof answer === "string") return void socket.terminate();
          settle(answer);
          if (answer.isLast) socket.terminate();
          else events.onIdle(connection);
        },
        drain: (socket) => {
          if (unsent) write(socket, unsent);
        },
        close: () => {
          connection.isOpen = false;
          sockets.delete(socket);
          if (index !== NONE) settle(LOST);
          if (!isClosed) setTimeout(reopen, RETRY_MS);
        },
      },
    } as Bun.TCPSocketConnectOptions<undefined>);
    sockets.add(socket);
    events.onIdle(connection);

    function answerIn(chunk: Uint8Array) {
      try {
        return parser.receive(chunk);
      } catch {
        return "unreadable";
      }
    }
  }

  /** Retries until the server accepts connections. */
  function reopen() {
    if (!isClosed) open().catch(() => setTimeout(reopen, RETRY_MS));
  }

  await Promise.all(Array.from({ length: count }, open));
  return {
    close: () => {
      isClosed = true;
      for (const socket of sockets) socket.terminate();
    },
  };
}

const RETRY_MS = 10;
