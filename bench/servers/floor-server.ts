// The least that a request can cost, as the baseline for the parts of a mean response. Arguments:
// the socket's path, and optionally the URL of a database that each request reads one row from.
import { openPool } from "#db/client.ts";

const [, , unix = "", databaseUrl] = process.argv;
const db = databaseUrl ? openPool(databaseUrl, { size: 10, prepare: true }) : undefined;

Bun.serve({
  unix,
  development: false,
  fetch: async () => {
    if (db) await db.sql`select 1 as one`;
    return new Response("OK");
  },
});
process.on("SIGTERM", () => process.exit(0));
