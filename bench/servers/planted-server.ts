// The application with a fault that the laboratory must find: for each request a statement too
// many, a wait for the disk too many, or CPU time. Arguments: `statement`, `flush`, or `burn` and
// how many microseconds.
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
    ? burning(Number(us))
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
  return () => void db.sql.unsafe(statement).catch(() => {});
}

/**
 * Turns a loop as often as takes so long, rather than until a clock says so: a clock goes on while
 * others have the core.
 */
function burning(us: number): () => void {
  const turns = 100_000;
  const took = Array.from({ length: 101 }, () => {
    const before = process.cpuUsage();
    turn(turns);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  // Not the fastest: no request has the machine to itself either.
  const wanted = Math.round((us / median(took)) * turns);
  return () => turn(wanted);
}

function turn(times: number): number {
  let mixed = 1;
  for (let at = 0; at < times; at++) mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) + at;
  return mixed;
}
