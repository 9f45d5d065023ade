import type { Fragment } from "postgres";
import type { Db } from "./client.ts";

/** Makes `%`, `_` and `\` ordinary characters of a LIKE pattern. */
export const escapeLike = (text: string): string => text.replace(/[\\%_]/g, "\\$&");

/**
 * SQL text that formats a timestamptz column as the API does: ISO 8601 in UTC with microseconds.
 * The column is inserted as it is: pass constants of the code only.
 */
export const instantSql = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** `instantSql` as a fragment of a postgres.js statement. Adds no parameter. */
export const instant = (sql: Db["sql"], column: string): Fragment => sql.unsafe(instantSql(column));
