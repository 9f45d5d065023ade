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
import { askHealth } from "./health.ts";

/** Commands that make what ships, and that run where it is deployed. */
export function registerDeployCommands(cli: CAC): void {
  cli
    .command("build", "Make the one executable that ships")
    .option("--out <file>", "Where to put it (dist/irontrack)")
    .action(async ({ out }: { out?: string }) => {
      requireCheckout("build");
      await buildExecutable(out ?? "dist/irontrack");
    });
  cli
    .command(
      "compose:init",
      "Make the passwords, keys and certificate that compose.yaml wants, unless they are there",
    )
    .option("--secrets <directory>", "Where to (secrets)")
    .option("--name <host>", "Whom the certificate is for (localhost)")
    .action(async ({ secrets, name }: { secrets?: string; name?: string }) => {
      const made = await initCompose(secrets ?? "secrets", name ?? "localhost");
      printRows(
        made.map((file) => ({ made: file })),
        { empty: "Nothing to make: all secrets are there" },
      );
    });
  cli
    .command(
      "prepare",
      "Migrate, make DATABASE_APP_ROLE, and bring the catalog to what this version says: what runs before it is served",
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
      "Ask over the Unix sockets whether the application is ready; fails when it is not",
    )
    .option("--socket <path>", "The one to ask (SOCKET_PATH, else all in IRONTRACK_HOME)")
    .action(async ({ socket }: { socket?: string }) => {
      const asked = await askHealth(readConfig(process.env), socket);
      printRows(
        asked.map((path) => ({ socket: path, state: "ready" })),
        {},
      );
    });
}
