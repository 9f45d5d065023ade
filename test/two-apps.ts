import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "#src/app/app.ts";
import { openServices } from "#src/app/services.ts";
import { openLog } from "#src/log/log.ts";
import { testConfig } from "./config.ts";
import { type Api, apiOn } from "./harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "./own-database.ts";
import { databaseSettings } from "./transaction.ts";

/** Two instances of the application, assembled as in production, with their own database. */
export type TwoApps = {
  database: OwnDatabase;
  /** Creates users and logins for both instances. */
  api: Api;
  /** Sends a request to an instance with a request id, like the proxy. */
  ask: ((
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
  ) => Promise<Response>)[];
  close(): Promise<void>;
};

/** Opens both in this process. They have separate caches and get invalidations from PostgreSQL. */
export async function openTwoApps(settings: Record<string, string> = {}): Promise<TwoApps> {
  const database = await makeOwnDatabase();
  const dir = mkdtempSync(join(tmpdir(), "irontrack-two-apps-"));
  const config = testConfig({ ...databaseSettings(database.url), ...settings });
  const urls = {
    pooled: config.DATABASE_URL as string,
    direct: config.DATABASE_DIRECT_URL as string,
  };
  const open = () => openServices(config, urls, join(dir, "keys.json"), openLog(config));
  const services = [await open(), await open()];
  const { tokens } = (services[0] as Awaited<ReturnType<typeof open>>).deps;
  let requests = 0;
  return {
    database,
    api: await apiOn(database.pool, { deps: { tokens } }),
    ask: services.map(({ deps }) => {
      const app = createApp({ ...deps, isProxied: true });
      return async (method, path, headers, body) => {
        const named = { ...headers, "x-request-id": `request-${++requests}` };
        return await app.fetch(
          new Request(`http://localhost${path}`, {
            method,
            headers: body === undefined ? named : { ...named, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          }),
        );
      };
    }),
    close: async () => {
      for (const { close } of services) await close();
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
