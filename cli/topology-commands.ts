import type { CAC } from "cac";
import { ensureAppRole } from "#db/app-role.ts";
import type { RunningProxy } from "#deploy/topology/proxy.ts";
import { printRows } from "#lib/command-line/output.ts";
import { createProgress } from "#lib/command-line/progress.ts";
import { OperatorError } from "#lib/errors.ts";
import { lockHome, openHome } from "#lib/home.ts";
import { withDatabase } from "#src/app/database.ts";
import type { Config } from "#src/config/config.ts";
import { openLog } from "#src/log/log.ts";
import { readNewPassword } from "./prompt.ts";
import { stopSignal } from "./stop-signal.ts";

type Flags = {
  workers?: number;
  replicas?: number;
  port?: number;
  tls?: number | boolean;
  pooler?: boolean;
  proxy?: boolean;
  bench?: boolean;
  json?: boolean;
};

const TLS_PORT = 8443;

/** `topology up`, `topology status`, and `database:role`. */
export function registerTopologyCommands(cli: CAC, config: () => Config): void {
  cli
    .command(
      "topology <what>",
      "Run all components of production on this machine: up (until Ctrl-C), or status",
    )
    .option("--workers <workers>", "Worker processes; SIGHUP replaces them one by one", {
      default: 2,
    })
    .option("--replicas <count>", "Streaming replicas, for reads that may lag", {
      default: 0,
    })
    .option("--port <port>", "TCP port of the proxy on 127.0.0.1 (PORT)")
    .option(
      "--tls [port]",
      `Also serve TLS, with a self-signed certificate for localhost (${TLS_PORT})`,
    )
    .option("--no-pooler", "Connect the workers to PostgreSQL without PgBouncer")
    .option("--no-proxy", "Run no proxy: only the sockets of the workers")
    .option("--bench", "Run the proxy without limits")
    .option("--json", "Print JSON")
    .action(async (what: string, flags: Flags) => {
      if (what === "up") return topologyUp(config(), flags);
      if (what === "status") return showStatus(config(), flags);
      throw new OperatorError(`topology takes up or status, not ${what}`, 2);
    });
  cli
    .command(
      "database:role <name>",
      "Create or update the database role of the application: its privileges and time limits",
    )
    .option("--password-stdin", "Read its password from the first line of standard input")
    .action(async (name: string, { passwordStdin }: { passwordStdin?: boolean }) => {
      const password = passwordStdin ? await readNewPassword({ fromStdin: true }) : undefined;
      await withDatabase(config(), (db) => ensureAppRole(db, name, password));
      console.log(`${name} is the application's role; run this again after each migration`);
    });
}

async function topologyUp(
  config: Config,
  { workers = 2, replicas = 0, port = config.PORT, ...flags }: Flags,
): Promise<void> {
  // Imported dynamically: the executable does not contain the topology.
  const { startTopology } = await import("#deploy/topology/topology.ts");
  const { forgetTopology, stopLeftovers, writeTopology } = await import(
    "#deploy/topology/status.ts"
  );
  const progress = createProgress();
  const stop = stopSignal();
  const home = openHome(config.IRONTRACK_HOME);
  const tlsPort = tlsPortOf(flags);
  const { log, flush } = openLog(config);
  const lock = lockHome(home);
  try {
    await stopLeftovers(home);
    const starting = startTopology({
      home,
      workers: Number(workers),
      replicas: Number(replicas),
      proxy:
        flags.proxy === false
          ? undefined
          : {
              listen: { port: Number(port), ...(tlsPort === undefined ? {} : { tlsPort }) },
              variant: flags.bench ? "bench" : "production",
            },
      pooler: flags.pooler ?? true,
      settings: { HOST: "" },
      log,
      onStep: progress.step,
      onChange: (current) => {
        try {
          writeTopology(home, current, `http://127.0.0.1:${port}`);
        } catch (error) {
          // A full disk must not stop what runs.
          log.error({ err: error }, "topology status cannot tell what runs");
        }
      },
    });
    const topology = await stop.endsWhile(starting);
    progress.done();
    process.on("SIGHUP", () => {
      topology.workers
        .current()
        .replace()
        .catch((error) => log.error({ err: error }, "the workers are not replaced"));
    });
    console.error(greeting(Number(port), topology.proxy?.current(), flags));
    await stop.asked;
    progress.step("stopping");
    await topology.stop();
    forgetTopology(home);
  } finally {
    lock.release();
    await flush();
    progress.done();
  }
}

function tlsPortOf({ tls }: Flags): number | undefined {
  if (tls === undefined || tls === false) return undefined;
  return tls === true ? TLS_PORT : Number(tls);
}

const greeting = (
  port: number,
  proxy: RunningProxy | undefined,
  flags: Flags,
) => `The topology is up (Ctrl-C here stops everything).

  ${flags.proxy === false ? "irontrack topology status says where its sockets are" : `http://127.0.0.1:${port}  (reference: http://127.0.0.1:${port}/docs)`}${proxy?.urls.tls === undefined ? "" : `\n  ${proxy.urls.tls}  (its certificate: ${proxy.certificateFile})`}
  kill -HUP ${process.pid}  replaces the workers, one by one
  ./irontrack topology status
`;

async function showStatus(config: Config, { json }: Flags): Promise<void> {
  const { topologyStatus } = await import("#deploy/topology/status.ts");
  const rows = await topologyStatus(openHome(config.IRONTRACK_HOME));
  printRows(rows, { json: json ?? false, empty: "Nothing runs here: irontrack topology up" });
  if (rows.length === 0 || rows.some(({ state }) => state === "wrong")) process.exitCode = 1;
}
