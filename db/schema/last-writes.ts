import { customType, pgTable, uuid } from "drizzle-orm/pg-core";

const position = customType<{ data: string }>({ dataType: () => "pg_lsn" });

/**
 * The WAL position that a replica must have replayed to return a user's own writes; used only with
 * replicas (ADR 0024). Unlogged: a missing row means the current position. Has no foreign key to
 * users, because writing a row must not wait for a lock on the user.
 */
export const lastWrites = pgTable("last_writes", {
  userId: uuid().primaryKey(),
  position: position().notNull(),
});
