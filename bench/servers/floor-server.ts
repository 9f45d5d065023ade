// The least that a request can be, beside which a mean response is explained: nothing is done but
// to pass it on. Arguments: the socket's path, and the database of which every request asks for one
// row, when it is to ask at all.
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
