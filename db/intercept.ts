import type { PendingQuery, Row } from "postgres";

/** The internals of a postgres.js query that are needed to send it later, or not at all. */
export type Query = PendingQuery<Row[]> & {
  handler(query: Query): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  statement: { string: string } | null;
  /** The connection that it was sent on. Our patch of postgres.js (patches/) adds `drop`. */
  state: { drop(): void } | null;
};

/**
 * Calls `onSend` in place of the driver when `query` is about to be sent. A fragment of another
 * query is never sent.
 */
export function interceptSend<Q>(
  query: Q,
  onSend: (query: Query, send: (query: Query) => void) => void,
): Q {
  if (query instanceof Promise) {
    const statement = query as unknown as Query;
    const send = statement.handler;
    statement.handler = (self) => onSend(self, send);
  }
  return query;
}
