import { cac } from "cac";
import { version } from "../package.json" with { type: "json" };
import { runBench } from "./cli/bench.ts";
import { registerCommands } from "./cli/commands.ts";
import { runCli } from "./cli/run.ts";
import { bypassProxyForLoopback } from "./loopback.ts";

bypassProxyForLoopback(process.env);
if (process.argv[2] === "bench") process.exit(await runBench(process.argv.slice(3)));
const cli = cac("irontrack");
registerCommands(cli);
cli.help();
cli.version(version);
await runCli(cli, process.argv);
