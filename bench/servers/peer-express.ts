// The three operations on Express, on Node. Without the ETag and the X-Powered-By that it would add
// to each answer, since the others send none either: it is the faster for it.
import express, { type NextFunction, type Request, type Response } from "express";
import { NOT_SIGNED_IN, openStore, readSettings } from "./peer-store.ts";

const settings = readSettings();
const { whoAsks, listExercises } = openStore(settings);

async function signedIn(request: Request, response: Response, next: NextFunction) {
  const user = await whoAsks(request.headers.cookie);
  if (!user) return void response.status(401).json(NOT_SIGNED_IN);
  response.locals.user = user;
  next();
}

const app = express().disable("x-powered-by").set("etag", false);
app.get("/ping", (_request, response) => void response.type("text/plain").send("OK"));
app.get(
  "/api/v1/access/me",
  signedIn,
  (_request, response) => void response.json(response.locals.user),
);
app.get("/api/v1/exercises", signedIn, async (_request, response) => {
  response.json(await listExercises());
});

app.listen(settings.unix);
process.on("SIGTERM", () => process.exit(0));
