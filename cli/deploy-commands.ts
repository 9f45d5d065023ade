import type { CAC } from "cac";
import { ensureAppRole } from "#db/app-role.ts";
import { migrate } from "#db/migrate.ts";
import { initCompose } from "#deploy/docker/compose-init.ts";
import { printRows } from "#lib/command-line/output.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { withDatabase, withInvalidations } from "#src/app/database.ts";
import { readConfig } from "#src/config/config.ts";
import { buildExecutable } from "./build.ts";
import { requireCheckout } from "./checkout.ts";
import { checkHealth } from "./health.ts";

/** Commands that build the executable, and that run where it is deployed. */
export function registerDeployCommands(cli: CAC): void {
  cli
    .command("build", "Build the executable")
    .option("--out <file>", "Where to put it (dist/irontrack)")
    .action(async ({ out }: { out?: string }) => {
      requireCheckout("build");
      await buildExecutable(out ?? "dist/irontrack");
    });
  cli
    .command(
      "compose:init",
      "Create the passwords, keys and certificate that compose.yaml needs, unless they exist",
    )
    .option("--secrets <directory>", "Where to put them (secrets)")
    .option("--name <host>", "The host name of the certificate (localhost)")
    .action(async ({ secrets, name }: { secrets?: string; name?: string }) => {
      const made = await initCompose(secrets ?? "secrets", name ?? "localhost");
      printRows(
        made.map((file) => ({ made: file })),
        { empty: "Nothing to create: all secrets exist" },
      );
    });
  cli
    .command(
      "prepare",
      "Migrate, create DATABASE_APP_ROLE and update the catalog, before this version serves",
    )
    .option("--json", "Print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const config = readConfig(process.env);
      const { DATABASE_APP_ROLE: role, DATABASE_APP_PASSWORD: password } = config;
      const migrated = await withDatabase(config, async (db) => {
        const tags = await migrate(db);
        if (role !== undefined) await ensureAppRole(db, role, password);
        return tags;
      });
      const seeded = await withInvalidations(config, (db, invalidations) =>
        invalidations.publish({ catalog: true }, (invalidationMessage) =>
          seedCatalog(db, readCatalog(), { invalidationMessage }),
        ),
      );
      const rows = [
        ...migrated.map((tag) => ({ part: tag, added: 1, changed: 0, kept: 0, removed: 0 })),
        ...seeded,
      ];
      printRows(rows, { json: json ?? false });
    });
  cli
    .command(
      "health",
      "Check over the Unix sockets that the application is ready; exits with 1 if it is not",
    )
    .option("--socket <path>", "The socket to check (SOCKET_PATH, else all in IRONTRACK_HOME)")
    .action(async ({ socket }: { socket?: string }) => {
      const sockets = await checkHealth(readConfig(process.env), socket);
      printRows(
        sockets.map((path) => ({ socket: path, state: "ready" })),
        {},
      );
    });
}
