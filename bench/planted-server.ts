// The application with a fault that the laboratory must find: for each request a statement too many, or a wait for the
// disk too many. Argument: `statement` or `flush`.
import { join } from "node:path";
import { openDatabase } from "#src/cli/database.ts";
import { readConfig } from "#src/config.ts";
import { openHome } from "#src/home.ts";
import { openLog } from "#src/log.ts";
import { listen } from "#src/server.ts";
import { openServices } from "#src/services.ts";

const fault = process.argv[2] === "flush" ? "insert into planted values (1)" : "select count(*) from roles as planted";
const config = readConfig(process.env);
const home = openHome(config.IRONTRACK_HOME);
const database = await openDatabase(config, home);
const services = await openServices(config, database, home.keyFile, openLog(config));
const { db, requestLog } = services.deps;
await db.sql`create table if not exists planted (n int)`;
services.deps.requestLog = (...request) => {
  requestLog(...request);
  void db.sql.unsafe(fault).catch(() => {});
};
const listening = await listen(config, services, join(home.runDir, "irontrack.sock"));
process.on("SIGTERM", async () => {
  await listening.stop();
  await services.close();
  process.exit(0);
});
