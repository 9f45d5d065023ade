import type { Db } from "./client.ts";
import { ClusterError } from "./postmaster.ts";

/** The first major version that has `uuidv7()`. */
export const OLDEST_SERVER = 18;

/** The server's version as `180004` and as text. Throws ClusterError if it is too old. */
export async function readServerVersion({ sql }: Db): Promise<{ number: number; text: string }> {
  const [row] = await sql<{ number: number; text: string }[]>`
    select current_setting('server_version_num')::integer as number, current_setting('server_version') as text`;
  const version = row ?? { number: 0, text: "unknown" };
  if (version.number < OLDEST_SERVER * 10_000)
    throw new ClusterError(
      `PostgreSQL ${OLDEST_SERVER} or newer is needed, and this is ${version.text}`,
    );
  return version;
}
