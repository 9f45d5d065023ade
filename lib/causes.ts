import postgres from "postgres";

/** How many causes of causes are looked at. */
const MAX_DEPTH = 5;

/** `error` and its causes, the outermost first; empty for what is no Error. */
export function* withCauses(error: unknown): Generator<Error> {
  for (let at = error, depth = 0; at instanceof Error && depth < MAX_DEPTH; at = at.cause, depth++)
    yield at;
}

/**
 * The PostgreSQL error in `error` or among its causes (drizzle wraps the driver's), or undefined.
 */
export function postgresError(error: unknown): postgres.PostgresError | undefined {
  for (const at of withCauses(error)) {
    if (at instanceof postgres.PostgresError) return at;
  }
  return undefined;
}
