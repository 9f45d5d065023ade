import { isDatabaseUnavailable } from "#db/errors.ts";
import { buildVersion } from "../build-info.ts";
import type { Config } from "../config.ts";
import { OperatorError } from "../errors.ts";
import { openHome } from "../home.ts";
import { openLog } from "../log.ts";
import { listen } from "../server.ts";
import { openServices, type Services } from "../services.ts";
import { listenWithoutDatabase } from "../waiting-room.ts";
import { reachDatabase } from "./database.ts";
import { stopSignal } from "./stop-signal.ts";

/** How long the database may take before clients are answered without it, and how long until it is tried again. */
const PATIENCE_MS = 1000;
const RETRY_MS = 500;

/**
 * Serves on a database that is migrated already: what runs in production. While the database is away at the start, it
 * answers 503 and tries again, for as long as that takes. Throws OperatorError for settings that are wrong.
 */
export async function serve(config: Config): Promise<void> {
  const url = config.DATABASE_URL;
  if (!url) throw new OperatorError("serve needs DATABASE_URL; for a database that comes along use up", 1);
  const stop = stopSignal({ atHangup: true });
  const home = openHome(config.IRONTRACK_HOME);
  const socketPath = config.SOCKET_PATH ?? `${home.runDir}/irontrack.sock`;
  const logs = openLog(config);
  const { log } = logs;
  const open = async () => openServices(config, await reachDatabase(url, config), home.keyFile, logs);
  const services = await untilOpened(open, stop, (reason) => {
    log.warn({ reason }, "waiting for the database");
    return listenWithoutDatabase(config, socketPath);
  });
  if (!services) return;
  try {
    const listening = await listen(config, services, socketPath);
    log.info({ socket: listening.socketPath, url: listening.url, version: buildVersion() }, "listening");
    if (!services.deps.health.isSchemaCurrent())
      log.warn("the database lacks migrations of this version: run irontrack migrate");
    await stop.asked;
    log.info("stopping");
    await listening.stop();
  } finally {
    await services.close();
    await logs.flush();
  }
}

/** What `open` gives once the database is there; undefined when the process is stopped before that. */
async function untilOpened(
  open: () => Promise<Services>,
  stop: { asked: Promise<void>; isAsked(): boolean },
  answerWithout: (reason: string) => Promise<{ stop(): Promise<void> }>,
): Promise<Services | undefined> {
  let room: ReturnType<typeof answerWithout> | undefined;
  const wait = (reason: string) => {
    room ??= answerWithout(reason);
    // Its failure is awaited below; until then it is not unhandled.
    room.catch(() => {});
  };
  const timer = setTimeout(wait, PATIENCE_MS, "it does not answer");
  try {
    while (!stop.isAsked()) {
      try {
        return (await Promise.race([open(), stop.asked])) ?? undefined;
      } catch (error) {
        wait(passing(error).message);
        await room;
      }
      await Promise.race([Bun.sleep(RETRY_MS), stop.asked]);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    await (await room)?.stop();
  }
}

/** The error, if it passes when the database is back. Throws it if waiting does not help. */
function passing(error: unknown): Error {
  if (error instanceof Error && isDatabaseUnavailable(error)) return error;
  throw error;
}
