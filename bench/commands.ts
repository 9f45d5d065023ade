import { type CAC, cac } from "cac";
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

/** The commands of the performance laboratory; `name` is the program name in help texts. */
export function benchCommands(name: string): CAC {
  const cli = cac(name);
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
  cli.option(
    "--pin <host>",
    "Pin processes to cores as in the file of a host in bench/hosts, instead of by topology",
  );
  cli.help();
  return cli;
}
