import { cac } from "cac";
import { version } from "../package.json" with { type: "json" };
import { registerCommands } from "./cli/commands.ts";
import { runCli } from "./cli/run.ts";

const cli = cac("irontrack");
registerCommands(cli);
cli.help();
cli.version(version);
await runCli(cli, process.argv);
