import { type Db, openPool, type Pool } from "#db/client.ts";
import { deleteForgottenAttempts } from "./access/attempts.queries.ts";
import { type Keys, readKeys, readOrGenerateKeys } from "./access/keys.ts";
import { createLoginMemory } from "./access/login-memory.ts";
import { createPasswords } from "./access/passwords.ts";
import { listenForRevocations, type Revocations } from "./access/revocations.ts";
import { createTokens } from "./access/tokens.ts";
import type { AppDeps } from "./app.ts";
import type { Config } from "./config.ts";
import { watchHealth } from "./health/health.ts";
import type { Log, RequestLog } from "./log.ts";

export type DatabaseUrls = { pooled: string; direct: string };

export type Services = { deps: AppDeps; drain(): void; close(): Promise<void> };

const HOUSEKEEPING_INTERVAL_MS = 600_000;

/** Everything an app needs, opened on a database; `close` ends it all. */
export async function openServices(
  config: Config,
  urls: DatabaseUrls,
  keyFile: string,
  { log, requestLog }: { log: Log; requestLog: RequestLog },
): Promise<Services> {
  const keys = config.JWT_PRIVATE_KEYS
    ? await readKeys(config.JWT_PRIVATE_KEYS, "JWT_PRIVATE_KEYS")
    : await readOrGenerateKeys(keyFile);
  const db = openPool(urls.pooled, { size: config.DATABASE_POOL_SIZE, prepare: config.DATABASE_PREPARE });
  const direct = openPool(urls.direct, { size: 2, prepare: false });
  const close = async () => void (await Promise.all([db.close(), direct.close()]));
  try {
    const memory = createLoginMemory(() => revocations.isTrusted());
    const revocations: Revocations = await listenForRevocations(
      direct,
      (revoked) => (revoked === "everything" ? memory.forgetAll() : memory.forget(revoked)),
      (error) => log.warn({ err: error }, "revocations between processes are disturbed"),
    );
    const health = await watchHealth(db, revocations.isTrusted);
    const housekeeping = setInterval(() => {
      deleteForgottenAttempts(db).catch((error) => log.warn({ err: error }, "old attempts were not deleted"));
    }, HOUSEKEEPING_INTERVAL_MS);
    let draining = false;
    return {
      deps: assemble({
        config,
        keys,
        db,
        log,
        requestLog,
        memory,
        revocations,
        health,
        addressOf: () => null,
        isDraining: () => draining,
      }),
      drain: () => {
        draining = true;
      },
      close: async () => {
        clearInterval(housekeeping);
        health.stop();
        await revocations.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Parts = Omit<AppDeps, "tokens" | "passwords" | "nowMs"> & { keys: Keys; db: Db | Pool };

/** The parts that follow from the others. */
export function assemble(parts: Parts, nowMs: () => number = Date.now): AppDeps {
  return {
    ...parts,
    nowMs,
    tokens: createTokens(parts.config, parts.keys, nowMs),
    passwords: createPasswords(parts.config),
  };
}
