import { isDatabaseUnavailable } from "#db/errors.ts";
import { buildVersion } from "#lib/build-info.ts";
import { OperatorError } from "#lib/errors.ts";
import { openHome } from "#lib/home.ts";
import { reachDatabase } from "#src/app/database.ts";
import { listen } from "#src/app/server.ts";
import { openServices, type Services } from "#src/app/services.ts";
import { listenWithoutDatabase } from "#src/app/without-database.ts";
import type { Config } from "#src/config/config.ts";
import { openLog } from "#src/log/log.ts";
import { stopSignal } from "./stop-signal.ts";

/**
 * How long to wait for the database before answering clients without it, and how long between
 * attempts.
 */
const PATIENCE_MS = 1000;
const RETRY_MS = 500;

/**
 * Serves on a database that has been migrated, as in production. If the database is unavailable at
 * the start, answers 503 and retries without a limit. Throws OperatorError for invalid settings.
 */
export async function serve(config: Config): Promise<void> {
  const url = config.DATABASE_URL;
  if (!url) throw new OperatorError("serve needs DATABASE_URL; up starts an embedded database", 1);
  const stop = stopSignal({ atHangup: true });
  const home = openHome(config.IRONTRACK_HOME);
  const socketPath = config.SOCKET_PATH ?? `${home.runDir}/irontrack.sock`;
  const logs = openLog(config);
  const { log } = logs;
  const open = async () =>
    openServices(config, await reachDatabase(url, config), home.keyFile, logs);
  const services = await untilOpened(open, stop, (reason) => {
    log.warn({ reason }, "waiting for the database");
    return listenWithoutDatabase(config, socketPath);
  });
  if (!services) return;
  try {
    const listening = await listen(config, services, socketPath);
    log.info(
      { socket: listening.socketPath, url: listening.url, version: buildVersion() },
      "listening",
    );
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

/**
 * The result of `open` once the database is available; undefined if the process is stopped before
 * that.
 */
async function untilOpened(
  open: () => Promise<Services>,
  stop: { asked: Promise<void>; isAsked(): boolean },
  answerWithoutDatabase: (reason: string) => Promise<{ stop(): Promise<void> }>,
): Promise<Services | undefined> {
  let fallback: ReturnType<typeof answerWithoutDatabase> | undefined;
  const wait = (reason: string) => {
    fallback ??= answerWithoutDatabase(reason);
    // The rejection is handled below, where it is awaited.
    fallback.catch(() => {});
  };
  const timer = setTimeout(wait, PATIENCE_MS, "it does not answer");
  try {
    while (!stop.isAsked()) {
      try {
        return (await Promise.race([open(), stop.asked])) ?? undefined;
      } catch (error) {
        wait(asTransient(error).message);
        await fallback;
      }
      await Promise.race([Bun.sleep(RETRY_MS), stop.asked]);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    await (await fallback)?.stop();
  }
}

/** Returns the error if it is transient, and throws it otherwise. */
function asTransient(error: unknown): Error {
  if (error instanceof Error && isDatabaseUnavailable(error)) return error;
  throw error;
}
