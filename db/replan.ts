import type { Db } from "./client.ts";

/**
 * Prepares a transaction that will multiply what its tables hold. A connection keeps the plans by
 * which it checks foreign keys, and those that it made while a table had a page read all of it for
 * every row: 50,000 sets took over a minute then, and 5 s by index. From here on it plans anew, and
 * by index.
 */
export async function replanForBulkInsert({ sql }: Db): Promise<void> {
  await sql`discard plans`;
  await sql`set local enable_seqscan = off`;
}
