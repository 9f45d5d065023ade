import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { openHome } from "#lib/home.ts";
import type { Config } from "#src/config/config.ts";

/** Longer than a worker under load takes, shorter than whoever asks waits. */
const ANSWER_WITHIN_MS = 3000;

/**
 * Asks over its Unix socket whether the application is ready: the one given, else SOCKET_PATH, else
 * every one in the home. Throws OperatorError that names the sockets which are not, or says that
 * there is none.
 */
export async function askHealth(config: Config, socket: string | undefined): Promise<string[]> {
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
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return answer.ok ? "ready" : await answer.text();
  } catch (error) {
    return `no answer (${(error as { code?: string }).code ?? (error as Error).name})`;
  }
}
