// The three operations on Hono, on Bun.
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { NOT_SIGNED_IN, openStore, readSettings } from "./peer-store.ts";

const settings = readSettings();
const { authenticate, listExercises } = openStore(settings);

const requireUser = createMiddleware<{ Variables: { user: { id: string } } }>(async (c, next) => {
  const user = await authenticate(c.req.header("cookie"));
  if (!user) return c.json(NOT_SIGNED_IN, 401);
  c.set("user", user);
  return next();
});

const app = new Hono()
  .get("/ping", (c) => c.text("OK"))
  .get("/api/v1/access/me", requireUser, (c) => c.json(c.get("user")))
  .get("/api/v1/exercises", requireUser, async (c) => c.json(await listExercises()));

Bun.serve({ unix: settings.unix, development: false, fetch: app.fetch });
process.on("SIGTERM", () => process.exit(0));
