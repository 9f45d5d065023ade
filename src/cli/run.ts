import type { CAC } from "cac";
import { OperatorError } from "../errors.ts";
import { checkArguments } from "./arguments.ts";
import { explain } from "./explain.ts";
import { writeOutputByHand } from "./output.ts";

/**
 * Parses and runs one command, then ends the process: 0 when it worked, 1 when it did not (one line says why), 2 when it
 * was called wrongly (with the nearest command or option there is).
 */
export async function runCli(cli: CAC, argv: string[], before?: () => void): Promise<never> {
  writeOutputByHand();
  process.exit(await runCommand(cli, argv, before));
}

/** Does what `runCli` does, and returns the exit code. `before` runs between the check of the arguments and the command. */
export async function runCommand(cli: CAC, argv: string[], before: () => void = () => {}): Promise<number> {
  try {
    parse(cli, argv);
    if (cli.options.help || cli.options.version) return 0;
    if (!cli.matchedCommand && cli.args[0] === undefined) {
      cli.outputHelp();
      return 2;
    }
    checkArguments(cli, argv.slice(2));
    before();
    await cli.runMatchedCommand();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { message, exitCode, isBug } = explain(error);
    console.error(`${cli.name}: ${message}`);
    const isDebugging = ["debug", "trace"].includes(process.env.LOG_LEVEL ?? "");
    if (isBug && isDebugging) console.error(error);
    else if (isBug) console.error("LOG_LEVEL=debug shows where.");
    return exitCode;
  }
}

function parse(cli: CAC, argv: string[]) {
  try {
    cli.parse(argv, { run: false });
  } catch {
    // cac stumbles over an option that is given both with a value and with a part (--a 1 --a.b 2).
    throw new OperatorError(`These options make no sense together: see ${cli.name} --help`, 2);
  }
}
