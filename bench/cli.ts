import { endWhenInterrupted } from "#lib/command-line/interrupts.ts";
import { runCli } from "#lib/command-line/run.ts";
import { bypassProxyForLoopback } from "#lib/loopback.ts";
import { benchCommands } from "./commands.ts";
import { usePins } from "./hosts/pinning.ts";

const name = process.env.IRONTRACK_BENCH_NAME ?? "bun bench";
endWhenInterrupted(
  `${name}: interrupted; the results of this run are incomplete and were discarded`,
);
bypassProxyForLoopback(process.env);
const cli = benchCommands(name);
await runCli(cli, process.argv, () => {
  if (cli.options.pin !== undefined) usePins(String(cli.options.pin));
});
