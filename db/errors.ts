import postgres from "postgres";
import { postgresError, withCauses } from "#lib/causes.ts";

/** The name of the constraint that a statement violated; undefined for any other error. */
export function violatedConstraint(error: unknown): string | undefined {
  return postgresError(error)?.constraint_name;
}

/** Runs `work`. If it violates a constraint named in `errors`, throws that error instead. */
export async function translateViolations<T>(
  errors: Record<string, () => Error>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw errors[violatedConstraint(error) ?? ""]?.() ?? error;
  }
}

/** Why a statement was not sent: the database has too much to do, or the client disconnected. */
export type Refusal = "OVERLOADED" | "CLIENT_GONE";

const REFUSALS: Record<Refusal, string> = {
  OVERLOADED: "The database is overloaded",
  CLIENT_GONE: "The client has disconnected",
};

export const refusal = (code: Refusal): Error => Object.assign(new Error(REFUSALS[code]), { code });

/** The refusal in `error` or among its causes, or undefined if the statement was sent. */
export function refusalOf(error: unknown): Refusal | undefined {
  for (const cause of withCauses(error)) {
    const { code } = cause as { code?: unknown };
    if (code === "OVERLOADED" || code === "CLIENT_GONE") return code;
  }
  return undefined;
}

/** True for a deadlock or a serialization failure: PostgreSQL rolled the transaction back. */
export function isRetryable(error: unknown): boolean {
  const code = postgresError(error)?.code;
  return code === "40P01" || code === "40001";
}

/** The error of work that waited in vain for the database to answer. */
export const noAnswer = (): Error =>
  Object.assign(new Error("The database does not answer"), { code: "DATABASE_SILENT" });

/**
 * Classes of PostgreSQL's error codes: connection exceptions, invalid authorization, transaction
 * rollback, insufficient resources, operator intervention and system errors.
 */
const UNAVAILABLE_CLASSES = ["08", "28", "40", "53", "57", "58"];
const UNAVAILABLE_CODES = new Set([
  "DATABASE_SILENT",
  "EACCES",
  "EADDRNOTAVAIL",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  // The queue of a Unix socket is full.
  "EAGAIN",
  "ETIMEDOUT",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  // A standby or a read-only primary takes no writes until the failover is complete.
  "25006",
  // While the database is being restored it does not exist, has no tables, or refuses connections.
  "3D000",
  "42P01",
  "55000",
  "55P03",
  // transaction_timeout and idle_in_transaction_session_timeout.
  "25P03",
  "25P04",
]);

/** True if the database was unavailable (stopped, starting, full, timed out): a retry may succeed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (const cause of withCauses(error)) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code !== "string") continue;
    if (UNAVAILABLE_CODES.has(code)) return true;
    if (cause instanceof postgres.PostgresError && UNAVAILABLE_CLASSES.includes(code.slice(0, 2)))
      return true;
  }
  return false;
}
