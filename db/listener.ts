import postgres, { type Options, type Sql } from "postgres";
import type { Db } from "./client.ts";

export type Listener = {
  /**
   * Closes the connection as if `error` had closed it, and opens another after RETRY_MS. For a
   * connection that is open but useless, as the next one may be.
   */
  replace(error: Error): void;
  close(): Promise<void>;
};

export type ListenerOptions = {
  channels: string[];
  /** Called when a new connection listens on all channels. Earlier messages may be lost. */
  onListening(): void;
  /** Called once when a listening connection is lost, or if the first attempts to connect fail. */
  onLost(error: Error): void;
  onMessage(channel: string, payload: string): void;
};

/** An option of the driver that its types lack. */
type UntypedOptions = { onnotify(channel: string, payload: string): void };

/** The wait before the next attempt after a failed one, or after `replace`. */
const RETRY_MS = 250;
/** The time limit for a new connection to listen. */
const ANSWER_TIMEOUT_MS = 5000;

/**
 * Listens on `channels` over a separate connection to the database of `db`, which must not lead
 * through a pooler, and reconnects whenever the connection is lost. One connection listens on all
 * channels, so messages arrive in the order of the commits that sent them. No message arrives from
 * a connection after `onLost` was called for it.
 *
 * The driver's own `listen` reconnects per channel and does not report that a connection was lost.
 */
export function openListener(
  { sql }: Db,
  { channels, onListening, onLost, onMessage }: ListenerOptions,
): Listener {
  let current: Sql | undefined;
  let isClosed = false;
  let isLossKnown = false;
  let retry: Timer | undefined;

  const lose = (client: Sql, error: Error, waitMs: number) => {
    if (client !== current) return;
    current = undefined;
    void end(client);
    if (!isLossKnown) onLost(error);
    isLossKnown = true;
    retry = setTimeout(connect, waitMs);
  };
  const connect = async () => {
    if (isClosed) return;
    const client: Sql = postgres({
      ...sql.options,
      max: 1,
      fetch_types: false,
      onclose: () => lose(client, new Error("The connection was closed"), 0),
      ...({
        onnotify: (channel, payload) => {
          if (client === current) onMessage(channel, payload);
        },
      } satisfies UntypedOptions as UntypedOptions),
    } as unknown as Options<Record<string, never>>);
    current = client;
    const timeout = setTimeout(
      () => lose(client, new Error("The database does not answer"), 0),
      ANSWER_TIMEOUT_MS,
    );
    try {
      await client.unsafe(channels.map((channel) => `listen "${channel}"`).join("; ")).simple();
      if (client !== current) return;
      isLossKnown = false;
      onListening();
    } catch (error) {
      lose(client, error as Error, RETRY_MS);
    } finally {
      clearTimeout(timeout);
    }
  };
  void connect();

  return {
    replace: (error) => {
      if (current) lose(current, error, RETRY_MS);
    },
    close: async () => {
      isClosed = true;
      clearTimeout(retry);
      const client = current;
      current = undefined;
      if (client) await end(client);
    },
  };
}

/** Not awaited, because the server may never answer. */
const end = (client: Sql) => client.end({ timeout: 0 }).catch(() => {});
