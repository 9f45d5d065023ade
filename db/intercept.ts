import type { PendingQuery, Row } from "postgres";

/** The parts of a postgres.js query that it takes to send it later, or not at all. */
export type Query = PendingQuery<Row[]> & {
  handler(query: Query): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
  statement: { string: string } | null;
  /** The connection that it was sent on, if it was; `drop` closes it, and is of patches/. */
  state: { drop(): void } | null;
};

/**
 * Has `handle` called instead of the driver when `query` is to be sent; a fragment of another one
 * never is.
 */
export function handled<Q>(
  query: Q,
  handle: (query: Query, send: (query: Query) => void) => void,
): Q {
  if (query instanceof Promise) {
    const statement = query as unknown as Query;
    const send = statement.handler;
    statement.handler = (itself) => handle(itself, send);
  }
  return query;
}
