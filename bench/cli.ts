import { cac } from "cac";
import { OperatorError } from "../src/errors.ts";
import { registerComparisons } from "./commands/comparisons.ts";
import { registerHost } from "./commands/host.ts";
import { registerLimits } from "./commands/limits.ts";
import { registerLoad } from "./commands/load.ts";

const cli = cac("bun bench");
registerHost(cli);
registerLoad(cli);
registerLimits(cli);
registerComparisons(cli);
cli.help();
try {
  cli.parse(process.argv, { run: false });
  await cli.runMatchedCommand();
} catch (error) {
  if (!(error instanceof OperatorError || (error as Error).name === "CACError")) throw error;
  console.error(`bun bench: ${(error as Error).message}`);
  process.exit(2);
}
