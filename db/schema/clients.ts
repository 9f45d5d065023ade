import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  pgTable,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { users } from "./users.ts";

/**
 * The permissions that a trainer requested from a client (`asks…`) and those that the client granted
 * (`can…`): none before accepting, then a subset of the requested ones. Ended rows stay as history.
 */
export const clients = pgTable(
  "clients",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    trainerId: uuid().notNull(),
    clientId: uuid().notNull(),
    asksReadHistory: boolean().notNull(),
    asksWritePlans: boolean().notNull(),
    canReadHistory: boolean().notNull().default(false),
    canWritePlans: boolean().notNull().default(false),
    invitedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    acceptedAt: timestamp({ withTimezone: true }),
    endedAt: timestamp({ withTimezone: true }),
  },
  (client) => [
    foreignKey({
      name: "clients_trainer_id_fkey",
      columns: [client.trainerId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "clients_client_id_fkey",
      columns: [client.clientId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    uniqueIndex("clients_live_pair_unique")
      .on(client.trainerId, client.clientId)
      .where(sql`${client.endedAt} is null`),
    index("clients_trainer_id_index").on(client.trainerId),
    index("clients_client_id_index").on(client.clientId),
    check("clients_not_oneself_check", sql`${client.trainerId} <> ${client.clientId}`),
    check("clients_asked_check", sql`${client.asksReadHistory} or ${client.asksWritePlans}`),
    check(
      "clients_within_asked_check",
      sql`${client.canReadHistory} <= ${client.asksReadHistory} and ${client.canWritePlans} <= ${client.asksWritePlans}`,
    ),
    check(
      "clients_accepted_check",
      sql`(${client.acceptedAt} is not null) = (${client.canReadHistory} or ${client.canWritePlans})`,
    ),
  ],
);
