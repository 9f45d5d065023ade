import postgres, { type Options, type Sql } from "postgres";
import type { Db } from "./client.ts";

export type Listener = {
  /**
   * Ends the connection, as if it had been lost by `error`, and opens another after RETRY_MS. For a
   * connection that is open but of no use, as the next may be.
   */
  replace(error: Error): void;
  close(): Promise<void>;
};

export type ListenerOptions = {
  channels: string[];
  /**
   * Called when a new connection listens on all channels. What was sent before may have been
   * missed.
   */
  onListening(): void;
  /**
   * Called once when a connection that listened is lost, or when the first attempts to connect
   * fail.
   */
  onLost(error: Error): void;
  onMessage(channel: string, payload: string): void;
};

/** An option of the driver that its types lack. */
type UntypedOptions = { onnotify(channel: string, payload: string): void };

/**
 * How long to wait before connecting again after an attempt that failed, or a connection that was
 * of no use.
 */
const RETRY_MS = 250;
/** How long a new connection may take until it listens. */
const ANSWER_TIMEOUT_MS = 5000;

/**
 * Listens on `channels` with a connection of its own to the database of `db`, which must not lead
 * through a pooler, and replaces the connection whenever it is lost. All channels belong to one
 * connection, so their messages arrive in the order of the commits that sent them, and no message
 * arrives from a connection once `onLost` was called for it.
 *
 * The driver's own `listen` renews each channel by itself and does not say when the connection is
 * lost.
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
    const silence = setTimeout(
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
      clearTimeout(silence);
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

/** Not awaited, because the connection may be silent. */
const end = (client: Sql) => client.end({ timeout: 0 }).catch(() => {});
