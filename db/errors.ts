import postgres from "postgres";
import { postgresError, withCauses } from "#lib/causes.ts";

/**
 * The name of the constraint that a statement broke, or undefined when `error` is something else.
 */
export function brokenConstraint(error: unknown): string | undefined {
  return postgresError(error)?.constraint_name;
}

/**
 * Runs `work`; when it breaks a constraint that has a name in `errors`, that error is thrown
 * instead of PostgreSQL's.
 */
export async function translateBroken<T>(
  errors: Record<string, () => Error>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw errors[brokenConstraint(error) ?? ""]?.() ?? error;
  }
}

/** Why a statement was not sent: too much is under way, or nobody waits for its answer. */
export type Refusal = "OVERLOADED" | "CLIENT_GONE";

export const refusal = (code: Refusal): Error =>
  Object.assign(new Error(code === "OVERLOADED" ? "Too much is under way" : "The client is gone"), {
    code,
  });

/** The refusal in `error` or among its causes, or undefined when the database was asked. */
export function refusalOf(error: unknown): Refusal | undefined {
  for (const at of withCauses(error)) {
    const { code } = at as { code?: unknown };
    if (code === "OVERLOADED" || code === "CLIENT_GONE") return code;
  }
  return undefined;
}

/**
 * True when PostgreSQL undid a transaction so that others can go on (a deadlock): nothing of it was
 * done.
 */
export function isRetryable(error: unknown): boolean {
  const code = postgresError(error)?.code;
  return code === "40P01" || code === "40001";
}

/** The error of work that waited for a database that answers nothing. */
export const noAnswer = (): Error =>
  Object.assign(new Error("The database does not answer"), { code: "DATABASE_SILENT" });

/**
 * Connections, a login that the database refuses, resources, an operator's doing, its disk, and
 * transactions that were undone for the sake of others.
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
  // A standby, or a primary that was made read-only: no writes until the failover is over.
  "25006",
  // The database is being replaced: for a moment there is none of that name, or it has no tables;
  // or it is closed to connections.
  "3D000",
  "42P01",
  "55000",
  "55P03",
  // A transaction that took too long: idle, or altogether.
  "25P03",
  "25P04",
]);

/**
 * True when the database could not be asked (away, starting, full, timed out): worth a retry, not a
 * bug.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (const at of withCauses(error)) {
    const code = (at as { code?: unknown }).code;
    if (typeof code !== "string") continue;
    if (UNAVAILABLE_CODES.has(code)) return true;
    if (at instanceof postgres.PostgresError && UNAVAILABLE_CLASSES.includes(code.slice(0, 2)))
      return true;
  }
  return false;
}
