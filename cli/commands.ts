import type { CAC } from "cac";
import { migrate, migrationStates } from "#db/migrate.ts";
import { printRows } from "#lib/command-line/output.ts";
import { withDatabase } from "#src/app/database.ts";
import { readConfig } from "#src/config/config.ts";
import { registerArchiveCommands } from "./archive-commands.ts";
import { registerBackupCommands } from "./backup-commands.ts";
import { check, generate } from "./check.ts";
import { requireCheckout } from "./checkout.ts";
import { registerDeployCommands } from "./deploy-commands.ts";
import { doctor } from "./doctor.ts";
import { openApiJson } from "./openapi.ts";
import { registerSeedCommand } from "./seed-command.ts";
import { serve } from "./serve.ts";
import { superviseWorkers } from "./supervise-workers.ts";
import { runTests } from "./test.ts";
import { registerTokenCommands } from "./token-commands.ts";
import { registerTopologyCommands } from "./topology-commands.ts";
import { up } from "./up.ts";
import { registerUserCommands } from "./user-commands.ts";

type TestFlags = { slow?: boolean; executable?: boolean; name?: string; pooler?: string | true };

/** Every command: what it takes, and the one function it calls. */
export function registerCommands(cli: CAC): void {
  const config = () => readConfig(process.env);

  cli
    .command("up", "Start everything: database, migrations, catalog, server; until Ctrl-C")
    .action(() => up(config()));
  cli
    .command("serve", "Serve on the migrated database of DATABASE_URL")
    .option(
      "--workers <workers>",
      "Processes, each on a socket irontrack.<n>.sock; SIGHUP replaces them one by one",
    )
    .action(({ workers }: { workers?: number }) =>
      workers === undefined ? serve(config()) : superviseWorkers(config(), Number(workers)),
    );

  cli
    .command("migrate", "Bring the database's schema to this version")
    .option("--status", "List the migrations and whether they are applied; apply none")
    .option("--to <tag>", "Apply only up to this migration")
    .option("--json", "Print JSON")
    .action(async ({ status, to, json }: { status?: boolean; to?: string; json?: boolean }) => {
      await withDatabase(config(), async (db) => {
        if (status) return printRows(await migrationStates(db), { json: json ?? false });
        const applied = await migrate(db, to);
        printRows(
          applied.map((tag) => ({ tag })),
          { json: json ?? false, empty: "Nothing to apply: the schema is current" },
        );
      });
    });

  registerSeedCommand(cli);
  registerUserCommands(cli);
  registerArchiveCommands(cli);
  registerTokenCommands(cli);
  registerDeployCommands(cli);
  registerTopologyCommands(cli, config);
  registerBackupCommands(cli);

  cli.command("openapi", "Print the OpenAPI document").action(async () => {
    // Waits until a pipe has taken all of it; the end of the process would cut it off.
    await Bun.write(Bun.stdout, await openApiJson());
  });
  cli.command("generate", "Regenerate .env.example, openapi.json and angie/place").action(() => {
    requireCheckout("generate");
    return generate();
  });

  cli
    .command("doctor", "Check the settings, disk space, database and port on this machine")
    .option("--json", "Print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await doctor(process.env);
      printRows(findings, { json: json ?? false });
      if (findings.some(({ state }) => state === "wrong")) process.exitCode = 1;
    });

  cli
    .command("test [...patterns]", "Run the tests against a PostgreSQL of their own")
    .option("--slow", "Run the slow tests instead: kill loops, floods, races")
    .option(
      "--executable",
      "Build the executable and run it in the tests that do not inspect the process",
    )
    .option("-t, --name <pattern>", "Only tests whose name matches")
    .option(
      "--pooler [program]",
      "Connect through PgBouncer: the newest that is installed, or this program",
    )
    .action(async (patterns: string[], { slow, executable, name, pooler }: TestFlags) => {
      requireCheckout("test");
      const run = await runTests(patterns, {
        slow: slow ?? false,
        built: executable ?? false,
        name,
        pooler,
      });
      if (!run.ok) process.exitCode = 1;
    });
  // Listed for --help only: cli/main.ts hands the arguments to bench/cli.ts.
  cli.command(
    "bench [...args]",
    "Benchmarks: latency, disk and counts; see irontrack bench --help",
  );
  cli
    .command("check", "Format, lint, types, dead code, generated files and tests: what CI runs")
    .action(() => {
      requireCheckout("check");
      return check();
    });
}
