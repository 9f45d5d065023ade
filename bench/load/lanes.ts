import type { Socket } from "bun";
import { type Answer, createParser } from "./http-parser.ts";

export type Target = { unix: string } | { hostname: string; port: number };

/** A connection that has at most one request on its way. */
export type Lane = { isOpen: boolean; send(request: Uint8Array, at: number): void };

/** What became of a request. */
export type Outcome = Omit<Answer, "isLast">;

export type LaneEvents = {
  /** The lane may send: it has just been opened, or its last request is answered. */
  onIdle(lane: Lane): void;
  /**
   * Request `at` is answered; status 0 when its connection was lost, or what came is no answer.
   * Comes before `onIdle`.
   */
  onAnswer(at: number, answer: Outcome): void;
};

export type Lanes = { close(): void };

const NOTHING = -1;
const LOST: Outcome = { status: 0, retryAfterS: 0, bodyBytes: 0 };

/**
 * Opens `count` connections, each of which is opened again whenever it is lost. Rejects when one
 * cannot be opened.
 */
export async function openLanes(target: Target, count: number, events: LaneEvents): Promise<Lanes> {
  let isClosed = false;
  const sockets = new Set<Socket<undefined>>();

  async function open(): Promise<void> {
    const parser = createParser();
    let at = NOTHING;
    /** What the socket's buffer had no room for. */
    let unsent: Uint8Array | undefined;
    const write = (socket: Socket<undefined>, bytes: Uint8Array) => {
      const written = socket.write(bytes);
      if (written < 0) socket.terminate();
      else unsent = written < bytes.length ? bytes.subarray(written) : undefined;
    };
    const settle = (outcome: Outcome) => {
      const answered = at;
      at = NOTHING;
      events.onAnswer(answered, outcome);
    };
    const lane: Lane = {
      isOpen: true,
      send: (request, place) => {
        at = place;
        write(socket, request);
      },
    };
    const socket = await Bun.connect<undefined>({
      ...target,
      socket: {
        data: (connection, chunk) => {
          // What nobody asked for, as a server's 408 before it hangs up, is no answer.
          const answer = at === NOTHING ? "unasked" : answerIn(chunk);
          if (answer === undefined) return;
          if (typeof answer === "string") return void connection.terminate();
          settle(answer);
          if (answer.isLast) connection.terminate();
          else events.onIdle(lane);
        },
        drain: (connection) => {
          if (unsent) write(connection, unsent);
        },
        close: () => {
          lane.isOpen = false;
          sockets.delete(socket);
          if (at !== NOTHING) settle(LOST);
          if (!isClosed) setTimeout(reopen, RETRY_MS);
        },
      },
    } as Bun.TCPSocketConnectOptions<undefined>);
    sockets.add(socket);
    events.onIdle(lane);

    function answerIn(chunk: Uint8Array) {
      try {
        return parser.receive(chunk);
      } catch {
        return "unreadable";
      }
    }
  }

  /** A server that is not there yet is asked again. */
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
