// The application with a planted fault for the laboratory to find: each request sends an extra
// statement, causes an extra flush or burns CPU. Arguments: `statement`, `flush`, or `burn <µs>`.
import { join } from "node:path";
import { openHome } from "#lib/home.ts";
import { openDatabase } from "#src/app/database.ts";
import { listen } from "#src/app/server.ts";
import { openServices } from "#src/app/services.ts";
import { readConfig } from "#src/config/config.ts";
import { openLog } from "#src/log/log.ts";
import { median } from "../figures/statistics.ts";

const STATEMENTS = {
  flush: "insert into planted values (1)",
  statement: "select count(*) from roles as planted",
};

const [, , kind = "", us = "0"] = process.argv;
const config = readConfig(process.env);
const home = openHome(config.IRONTRACK_HOME);
const database = await openDatabase(config, home);
const services = await openServices(config, database, home.keyFile, openLog(config));
const { db, requestLog } = services.deps;
const fault =
  kind === "burn"
    ? burnCpu(Number(us))
    : await plantStatement(STATEMENTS[kind as keyof typeof STATEMENTS]);
services.deps.requestLog = (...request) => {
  requestLog(...request);
  fault();
};
const listening = await listen(
  config,
  services,
  config.SOCKET_PATH ?? join(home.runDir, "irontrack.sock"),
);
process.on("SIGTERM", async () => {
  await listening.stop();
  await services.close();
  process.exit(0);
});

async function plantStatement(statement: string): Promise<() => void> {
  await db.sql`create table if not exists planted (n int)`;
  // One at a time: PostgreSQL flushes concurrent commits together.
  let running: Promise<unknown> = Promise.resolve();
  return () => {
    running = running.then(() => db.sql.unsafe(statement)).catch(() => {});
  };
}

/**
 * Burns CPU in a loop of a calibrated number of turns. A loop until a deadline would burn less
 * whenever the process is not running.
 */
function burnCpu(us: number): () => void {
  const turns = 100_000;
  const timesUs = Array.from({ length: 101 }, () => {
    const before = process.cpuUsage();
    spin(turns);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  // The median rather than the minimum: requests do not have the machine to themselves either.
  const calibrated = Math.round((us / median(timesUs)) * turns);
  return () => spin(calibrated);
}

function spin(turns: number): number {
  let mixed = 1;
  for (let n = 0; n < turns; n++) mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) + n;
  return mixed;
}
