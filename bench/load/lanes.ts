import type { Socket } from "bun";
import { createParser } from "./http-parser.ts";

export type Target = { unix: string } | { hostname: string; port: number };

/** A connection that has at most one request on its way. */
export type Lane = { isOpen: boolean; send(request: Uint8Array, at: number): void };

export type LaneEvents = {
  /** The lane may send: it has just been opened, or its last request is answered. */
  onIdle(lane: Lane): void;
  /** Request `at` is answered; status 0 when its connection was lost. Comes before `onIdle`. */
  onAnswer(at: number, status: number, bodyBytes: number): void;
};

export type Lanes = { close(): void };

const NOTHING = -1;

/** Opens `count` connections, each of which is opened again whenever it is lost. Rejects when one cannot be opened. */
export async function openLanes(target: Target, count: number, events: LaneEvents): Promise<Lanes> {
  let isClosed = false;
  const sockets = new Set<Socket<undefined>>();

  async function open(): Promise<void> {
    const parser = createParser();
    let at = NOTHING;
    const lane: Lane = {
      isOpen: true,
      send: (request, place) => {
        at = place;
        // No scenario sends more at once than a socket's buffer takes.
        if (socket.write(request) !== request.length) socket.terminate();
      },
    };
    const settle = (status: number, bodyBytes: number) => {
      const answered = at;
      at = NOTHING;
      events.onAnswer(answered, status, bodyBytes);
    };
    const socket = await Bun.connect<undefined>({
      ...target,
      socket: {
        data: (_socket, chunk) => {
          const answer = parser.receive(chunk);
          if (!answer) return;
          settle(answer.status, answer.bodyBytes);
          if (answer.isLast) socket.terminate();
          else events.onIdle(lane);
        },
        close: () => {
          lane.isOpen = false;
          sockets.delete(socket);
          if (at !== NOTHING) settle(0, 0);
          if (!isClosed) setTimeout(reopen, RETRY_MS);
        },
      },
    } as Bun.TCPSocketConnectOptions<undefined>);
    sockets.add(socket);
    events.onIdle(lane);
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
