import postgres from "postgres";

/** Limits the length of a chain of causes. */
const MAX_DEPTH = 5;

/** `error` and its causes, the outermost first; empty if `error` is not an Error. */
export function* withCauses(error: unknown): Generator<Error> {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_DEPTH; depth++) {
    yield cause;
    cause = cause.cause;
  }
}

/** The PostgreSQL error in `error` or its causes (drizzle wraps the driver's errors), if any. */
export function postgresError(error: unknown): postgres.PostgresError | undefined {
  return withCauses(error).find((cause) => cause instanceof postgres.PostgresError);
}
