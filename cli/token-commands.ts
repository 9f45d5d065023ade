import type { CAC } from "cac";
import { printRows } from "#lib/command-line/output.ts";
import { OperatorError } from "#lib/errors.ts";
import { openHome } from "#lib/home.ts";
import { addSigningKey, listKeys } from "#src/access/keys.ts";
import { readConfig } from "#src/config/config.ts";

/** Commands on the keys that sign tokens. */
export function registerTokenCommands(cli: CAC): void {
  cli
    .command("token:keys", "List the keys that sign and verify tokens")
    .option("--json", "Print JSON")
    .action(async ({ json }: { json?: boolean }) =>
      printRows(await listKeys(keyFile()), { json: json ?? false }),
    );
  cli
    .command(
      "token:rotate-key",
      "Sign with a new key from the next reload on; the old one verifies until its tokens expire",
    )
    .action(async () => {
      const config = readConfig(process.env);
      const { kid, removed } = await addSigningKey(keyFile(), config.REFRESH_TOKEN_TTL_S);
      console.log(
        `Added ${kid}${removed.length > 0 ? `, removed ${removed.join(", ")}` : ""}. Reload the service (SIGHUP to serve --workers, or a restart) to sign with it.`,
      );
    });
}

function keyFile(): string {
  const config = readConfig(process.env);
  if (config.JWT_PRIVATE_KEYS)
    throw new OperatorError("The keys are in JWT_PRIVATE_KEYS: insert a new one at the front", 2);
  return openHome(config.IRONTRACK_HOME).keyFile;
}
