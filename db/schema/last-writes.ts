import { customType, pgTable, uuid } from "drizzle-orm/pg-core";

const position = customType<{ data: string }>({ dataType: () => "pg_lsn" });

/**
 * Up to where a replica must have come to show somebody all that they wrote, noted where there are
 * replicas (ADR 0024). Unlogged: a row that is missing says "up to now". No reference to users,
 * whose rows a note must not wait for.
 */
export const lastWrites = pgTable("last_writes", {
  userId: uuid().primaryKey(),
  position: position().notNull(),
});
