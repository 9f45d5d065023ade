import type { CAC } from "cac";
import { OperatorError } from "../errors.ts";
import { checkArguments } from "./arguments.ts";
import { explain } from "./explain.ts";
import { replaceConsole } from "./output.ts";

/**
 * Parses and runs one command, then exits: 0 for success, 1 for a failure (one line says why), 2
 * for wrong usage (with the nearest command or option).
 */
export async function runCli(cli: CAC, argv: string[], before?: () => void): Promise<never> {
  replaceConsole();
  process.exit(await runCommand(cli, argv, before));
}

/** Like `runCli`, but returns the exit code. `before` runs after the arguments are checked. */
export async function runCommand(
  cli: CAC,
  argv: string[],
  before: () => void = () => {},
): Promise<number> {
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
    else if (isBug) console.error("LOG_LEVEL=debug shows the stack trace.");
    return exitCode;
  }
}

function parse(cli: CAC, argv: string[]) {
  try {
    cli.parse(argv, { run: false });
  } catch {
    // cac throws on an option that is given both a value and a property (--a 1 --a.b 2).
    throw new OperatorError(`These options contradict each other: see ${cli.name} --help`, 2);
  }
}
