// The three operations on Bun.serve alone.
import { NOT_SIGNED_IN, openStore, readSettings } from "./peer-store.ts";

const settings = readSettings();
const { authenticate, listExercises } = openStore(settings);
const { pingHeaders: headers, isPingStatic } = settings;

const refuse = () => Response.json(NOT_SIGNED_IN, { status: 401 });
const plainPing = () => new Response("OK");
const ping = headers ? () => new Response("OK", { headers }) : plainPing;

Bun.serve({
  unix: settings.unix,
  development: false,
  routes: {
    "/ping": isPingStatic ? ping() : ping,
    "/api/v1/access/me": async ({ headers }) => {
      const user = await authenticate(headers.get("cookie"));
      return user ? Response.json(user) : refuse();
    },
    "/api/v1/exercises": async ({ headers }) => {
      const user = await authenticate(headers.get("cookie"));
      return user ? Response.json(await listExercises()) : refuse();
    },
  },
});
process.on("SIGTERM", () => process.exit(0));
