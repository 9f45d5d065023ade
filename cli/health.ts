import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { openHome } from "#lib/home.ts";
import type { Config } from "#src/config/config.ts";

/** Longer than a worker takes under load, shorter than the timeout of a container's check. */
const TIMEOUT_MS = 3000;

/**
 * Checks that the application on `socket` is ready, by default on SOCKET_PATH, else on every socket
 * in the home, and returns the sockets. Throws OperatorError if one is not ready, or if there is
 * none.
 */
export async function checkHealth(config: Config, socket: string | undefined): Promise<string[]> {
  const sockets = socket
    ? [socket]
    : config.SOCKET_PATH
      ? [config.SOCKET_PATH]
      : socketsIn(config.IRONTRACK_HOME);
  if (sockets.length === 0) throw new OperatorError("Nothing serves here: there is no socket");
  const states = await Promise.all(
    sockets.map(async (unix) => ({ unix, state: await stateOf(unix) })),
  );
  const unready = states.filter(({ state }) => state !== "ready");
  if (unready.length > 0)
    throw new OperatorError(unready.map(({ unix, state }) => `${unix}: ${state}`).join("\n"));
  return sockets;
}

function socketsIn(home: string): string[] {
  const { runDir } = openHome(home);
  return readdirSync(runDir)
    .filter((name) => /^irontrack(\.\d+)?\.sock$/.test(name))
    .map((name) => join(runDir, name));
}

async function stateOf(unix: string): Promise<string> {
  try {
    const answer = await fetch("http://localhost/health/ready", {
      unix,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return answer.ok ? "ready" : await answer.text();
  } catch (error) {
    return `no answer (${(error as { code?: string }).code ?? (error as Error).name})`;
  }
}
