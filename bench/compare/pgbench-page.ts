import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { runProgram } from "#lib/processes/programs.ts";
import { listDocuments } from "#src/exercises/exercise-list.queries.ts";
import { pinned } from "../hosts/pinning.ts";
import { databaseUrl, socketDir } from "../testbed/embedded-postgres.ts";
import type { RequestCost } from "./request-cost.ts";

/**
 * Runs pgbench with the page's own statement on the PostgreSQL under `dir`; undefined if there is
 * no pgbench. CPU is NaN: the backends end with pgbench, before it can be read.
 */
export async function measurePgbench(
  dir: string,
  connections: number,
  durationMs: number,
  scope: "all" | "system" = "all",
): Promise<RequestCost | undefined> {
  if (!Bun.which("pgbench")) return undefined;
  const script = join(dir, "page.sql");
  writeFileSync(script, await statementOfPage(databaseUrl(dir), scope));
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  const args = ["-n", "-M", "prepared", "-c", String(connections), "-T", String(seconds)];
  const target = ["-f", script, "-h", socketDir(dir), "-U", "irontrack", "irontrack"];
  const run = await runProgram([...pinned("server"), "pgbench", ...args, ...target]);
  const perSecond = Number(/tps = ([\d.]+)/.exec(run.stdout)?.[1]);
  if (!(perSecond > 0)) throw new Error(`pgbench: ${run.stderr}`);
  return { perSecond, cpuUs: Number.NaN };
}

/** The statement that the application sends for the page, with its parameters inserted. */
async function statementOfPage(url: string, scope: "all" | "system"): Promise<string> {
  let statement = "";
  const pool = openPool(url, {
    size: 1,
    prepare: false,
    onStatement: (text) => (statement = text),
  });
  const userId = "01a209f2-f7f5-7524-94bc-8035f4f8979b";
  await listDocuments(pool, { userId, scope, search: null }, { limit: 20, offset: 0 });
  await pool.close();
  return `${statement.replaceAll(/\$\d+/g, `'${userId}'`)};`;
}
