import { cac } from "cac";
import { endWhenInterrupted } from "../src/cli/interrupts.ts";
import { OperatorError } from "../src/errors.ts";
import { registerComparisons } from "./commands/comparisons.ts";
import { registerDecisions } from "./commands/decisions.ts";
import { registerDisk } from "./commands/disk.ts";
import { registerHops } from "./commands/hops.ts";
import { registerHost } from "./commands/host.ts";
import { registerLimits } from "./commands/limits.ts";
import { registerLoad } from "./commands/load.ts";
import { registerProfile } from "./commands/profile.ts";
import { registerReport } from "./commands/report.ts";
import { registerTruth } from "./commands/truth.ts";
import { usePins } from "./hosts/pinning.ts";

endWhenInterrupted("bun bench: interrupted, so this run is incomplete, and nothing of it is kept");
const cli = cac("bun bench");
registerHost(cli);
registerDisk(cli);
registerLoad(cli);
registerLimits(cli);
registerComparisons(cli);
registerHops(cli);
registerDecisions(cli);
registerTruth(cli);
registerReport(cli);
registerProfile(cli);
cli.option("--pin <host>", "Who has which core, by the file of a host in bench/hosts instead of by the topology");
cli.help();
try {
  cli.parse(process.argv, { run: false });
  if (cli.options.pin !== undefined) usePins(String(cli.options.pin));
  await cli.runMatchedCommand();
} catch (error) {
  if (!(error instanceof OperatorError || (error as Error).name === "CACError")) throw error;
  console.error(`bun bench: ${(error as Error).message}`);
  process.exit(2);
}
