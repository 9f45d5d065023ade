import { cac } from "cac";
import { buildVersion } from "./build-info.ts";
import { runBench } from "./cli/bench.ts";
import { registerCommands } from "./cli/commands.ts";
import { runCli } from "./cli/run.ts";
import { bypassProxyForLoopback } from "./loopback.ts";

bypassProxyForLoopback(process.env);
if (process.argv[2] === "bench") process.exit(await runBench(process.argv.slice(3)));
const cli = cac("irontrack");
registerCommands(cli);
cli.help();
// Not by cac, which asks for the version of each command that runs and calls Bun by the version of Node that it plays.
if (["--version", "-v"].includes(process.argv[2] ?? ""))
  console.log(`irontrack ${buildVersion()} (Bun ${Bun.version})`);
else await runCli(cli, process.argv);
