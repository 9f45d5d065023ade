import { rmSync } from "node:fs";
import { join } from "node:path";
import { pinPostgres } from "./embedded-postgres.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export type BareAnswer = { status: number; headers: Record<string, string>; body: string };

/**
 * Starts the application with its own embedded PostgreSQL under `dir`, with limits high enough for
 * a bench.
 */
export async function startApplication(
  dir: string,
  settings: Record<string, string> = {},
): Promise<ServerProcess> {
  const application = await startServer(
    ["cli/main.ts", "up"],
    socketIn(dir),
    settingsFor(dir, settings),
  );
  pinPostgres(dir);
  return application;
}

/**
 * Starts the application on the migrated database of `url`, with the same limits; `command`
 * replaces the production command.
 */
export function startApplicationOn(
  url: string,
  dir: string,
  settings: Record<string, string> = {},
  command = ["cli/main.ts", "serve"],
) {
  return startServer(command, socketIn(dir), settingsFor(dir, { ...settings, DATABASE_URL: url }));
}

const socketIn = (dir: string) => join(dir, "run/irontrack.sock");

/** Limits that a bench does not reach. */
export const SETTINGS = {
  HOST: "",
  PASSWORD_MEMORY_KIB: "19456",
  PASSWORD_PASSES: "2",
  SIGN_UPS_PER_ADDRESS: "100000",
};

const settingsFor = (dir: string, settings: Record<string, string>) => ({
  IRONTRACK_HOME: dir,
  ...SETTINGS,
  ...settings,
});

/**
 * What a bare server does before it answers: nothing ("blind"), or read the parts of the request
 * that an authenticated request must be checked for ("reading").
 */
export type RequestHandling = "blind" | "reading";

/** Starts a bare Bun.serve that answers every request with `answer`. */
export function startBare(
  dir: string,
  answer: BareAnswer,
  handling: RequestHandling = "blind",
): Promise<ServerProcess> {
  const socketPath = join(dir, "run/bare.sock");
  rmSync(socketPath, { force: true });
  return startServer(
    ["bench/servers/bare-server.ts", socketPath, JSON.stringify(answer), handling],
    socketPath,
    {},
  );
}

/** Sends a GET request, and returns the answer for a bare server to repeat. */
export async function fetchAnswer(unix: string, path: string, cookie: string): Promise<BareAnswer> {
  const answer = await fetch(`http://localhost${path}`, { unix, headers: { cookie } });
  const headers = Object.fromEntries(
    [...answer.headers].filter(([name]) => name !== "date" && name !== "content-length"),
  );
  return { status: answer.status, headers, body: await answer.text() };
}
