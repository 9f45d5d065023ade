import { cac } from "cac";
import { buildVersion } from "#lib/build-info.ts";
import { runCli } from "#lib/command-line/run.ts";
import { bypassProxyForLoopback } from "#lib/loopback.ts";
import { runBench } from "./bench.ts";
import { registerCommands } from "./commands.ts";

bypassProxyForLoopback(process.env);
if (process.argv[2] === "bench") process.exit(await runBench(process.argv.slice(3)));
const cli = cac("irontrack");
registerCommands(cli);
cli.help();
// Not left to cac, which would compute the version for every command, and would print the version
// of Node.js that Bun emulates.
if (["--version", "-v"].includes(process.argv[2] ?? ""))
  console.log(`irontrack ${buildVersion()} (Bun ${Bun.version})`);
else await runCli(cli, process.argv);
