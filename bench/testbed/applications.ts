import { rmSync } from "node:fs";
import { join } from "node:path";
import { pinPostgres } from "./embedded-postgres.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export type BareAnswer = { status: number; headers: Record<string, string>; body: string };

/**
 * The application on an embedded PostgreSQL of its own under `dir`, with settings that let a bench
 * through.
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
 * The application on the migrated database of `url`, with the same settings; `command` is another
 * way to start it.
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

/** What lets a bench through. */
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
 * How a bare server answers: without a look at the request, or having read what a signed-in
 * client's must be read for.
 */
export type Manner = "blind" | "reading";

/** A bare Bun.serve that repeats `answer`. */
export function startBare(
  dir: string,
  answer: BareAnswer,
  manner: Manner = "blind",
): Promise<ServerProcess> {
  const socketPath = join(dir, "run/bare.sock");
  rmSync(socketPath, { force: true });
  return startServer(
    ["bench/servers/bare-server.ts", socketPath, JSON.stringify(answer), manner],
    socketPath,
    {},
  );
}

/** One answer as the bare server is to repeat it. */
export async function ask(unix: string, path: string, cookie: string): Promise<BareAnswer> {
  const answer = await fetch(`http://localhost${path}`, { unix, headers: { cookie } });
  const headers = Object.fromEntries(
    [...answer.headers].filter(([name]) => name !== "date" && name !== "content-length"),
  );
  return { status: answer.status, headers, body: await answer.text() };
}

/**
 * Signs up whoever has no account yet, and in; the cookie header of the login as a browser sends
 * it: the refresh token goes to the access operations only.
 */
export async function signIn(unix: string, email = "bench@example.com"): Promise<string> {
  const post = (path: string, body: unknown) =>
    fetch(`http://localhost/api/v1/access/${path}`, {
      unix,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const password = "a bench needs a password";
  await post("signup", { email, password, confirmPassword: password });
  const answer = await post("signin", { username: email, password });
  if (answer.status !== 204) throw new Error(`Signing in failed: ${await answer.text()}`);
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0] as string);
  return cookies.find((cookie) => /^(__Host-)?access_token=/.test(cookie)) ?? "";
}
