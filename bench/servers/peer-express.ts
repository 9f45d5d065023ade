// The three operations on Express, on Node. ETag and X-Powered-By are off because the other peers
// do not send them; this makes it faster.
import express, { type NextFunction, type Request, type Response } from "express";
import { NOT_SIGNED_IN, openStore, readSettings } from "./peer-store.ts";

const settings = readSettings();
const { authenticate, listExercises } = openStore(settings);

async function requireUser(request: Request, response: Response, next: NextFunction) {
  const user = await authenticate(request.headers.cookie);
  if (!user) return void response.status(401).json(NOT_SIGNED_IN);
  response.locals.user = user;
  next();
}

const app = express().disable("x-powered-by").set("etag", false);
app.get("/ping", (_request, response) => void response.type("text/plain").send("OK"));
app.get(
  "/api/v1/access/me",
  requireUser,
  (_request, response) => void response.json(response.locals.user),
);
app.get("/api/v1/exercises", requireUser, async (_request, response) => {
  response.json(await listExercises());
});

app.listen(settings.unix);
process.on("SIGTERM", () => process.exit(0));
