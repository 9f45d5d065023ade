import type { Db } from "./client.ts";

/**
 * Prepares a transaction for inserting far more rows than its tables contain. A connection caches
 * the plans that check foreign keys. Those planned while a table had one page use a sequential scan
 * per row, which took 50,000 sets over a minute; with an index they take 5 s. This discards the
 * cached plans and makes the new ones use an index.
 */
export async function replanForBulkInsert({ sql }: Db): Promise<void> {
  await sql`discard plans`;
  await sql`set local enable_seqscan = off`;
}
