import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, type RunningProxy, startProxy } from "#deploy/topology/proxy.ts";
import { createTokens } from "#src/access/tokens.ts";
import { testConfig } from "./config.ts";
import { describeWithPrograms } from "./describe-with-programs.ts";
import { type Api, apiOn } from "./harness.ts";
import { freePort } from "./launcher.ts";
import { makeOwnDatabase, type OwnDatabase } from "./own-database.ts";
import { openProcesses } from "./processes.ts";
import type { TcpTarget } from "./raw-http.ts";

/** `describe` for tests that need the program of the proxy. */
export const describeProxied = (name: string, tests: () => void): void =>
  describeWithPrograms(name, findProgram, tests);

export type ProxiedApp = {
  proxy: RunningProxy;
  /** The TCP and TLS ports. Rate limits apply per client address. */
  plain(from?: string): TcpTarget;
  tls(from?: string): TcpTarget;
  /** The Unix sockets of the two workers. */
  workers: string[];
  database: OwnDatabase;
  /** The application in this process with the same database and key, to create fixtures. */
  api: Api;
  close(): Promise<void>;
};

/** Starts the production proxy in front of two workers, which have their own database. */
export async function openProxiedApp(): Promise<ProxiedApp> {
  const dir = mkdtempSync(join(tmpdir(), 'irontrack-proxied it\'s an "odd" place #-'));
  const database = await makeOwnDatabase();
  const processes = await openProcesses(dir, database.url);
  const settings = { COOKIE_SECURE: "false", PASSWORD_MEMORY_KIB: "19456", PASSWORD_PASSES: "2" };
  const [port, tlsPort] = [Number(await freePort()), Number(await freePort())];
  const workers = ["1", "2"].map((name) => join(dir, `${name}.sock`));
  const [proxy] = await Promise.all([
    startProxy({
      directory: join(dir, "proxy"),
      workerSockets: workers,
      listen: { port, tlsPort },
      variant: "production",
    }),
    processes.start("1", settings),
    processes.start("2", settings),
  ]);
  const api = await apiOn(database.pool);
  api.deps.tokens = createTokens(testConfig(), processes.keys);
  const ca = readFileSync(proxy.certificateFile, "utf8");
  return {
    proxy,
    plain: (from = "127.0.0.1") => ({ port, from }),
    tls: (from = "127.0.0.1") => ({ port: tlsPort, from, tls: { ca } }),
    workers,
    database,
    api,
    close: async () => {
      await proxy.stop();
      processes.stop();
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
