import type { CAC } from "cac";
import { ClusterError } from "#db/postmaster.ts";
import { AppError, OperatorError } from "../errors.ts";
import { nearest } from "./nearest.ts";

/**
 * Parses and runs one command, then ends the process: 0 when it worked, 1 when it did not (one line says why), 2 when
 * it was called wrongly (with the nearest command or option there is; cac alone ignores both).
 */
export async function runCli(cli: CAC, argv: string[]): Promise<never> {
  try {
    cli.parse(argv, { run: false });
    if (cli.options.help || cli.options.version) process.exit(0);
    if (!cli.matchedCommand) refuseUnknown(cli);
    else refuseUnknownOptions(cli);
    await cli.runMatchedCommand();
    process.exit(process.exitCode ?? 0);
  } catch (error) {
    process.exit(explain(error));
  }
}

function refuseUnknown(cli: CAC) {
  const asked = cli.args[0];
  if (asked === undefined) {
    cli.outputHelp();
    process.exit(2);
  }
  const found = nearest(
    asked,
    cli.commands.map(({ name }) => name),
  );
  throw new OperatorError(
    `There is no command ${asked}${found ? `; did you mean ${found}?` : ""} See irontrack --help`,
    2,
  );
}

function refuseUnknownOptions(cli: CAC) {
  const command = cli.matchedCommand;
  if (!command || command.config.allowUnknownOptions) return;
  const known = [...cli.globalCommand.options, ...command.options].flatMap(({ names }) => names);
  for (const given of Object.keys(cli.options)) {
    if (given === "--" || known.includes(given)) continue;
    const found = nearest(given, known);
    const flag = (name: string) => (name.length === 1 ? `-${name}` : `--${dashed(name)}`);
    throw new OperatorError(
      `${command.name} has no option ${flag(given)}${found ? `; did you mean ${flag(found)}?` : ""} See irontrack ${command.name} --help`,
      2,
    );
  }
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function explain(error: unknown): number {
  if (error instanceof OperatorError) {
    console.error(`irontrack: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof AppError) {
    const faults = (error.errors ?? []).map(({ field, message }) => `\n  ${field.slice(1)}: ${message}`);
    console.error(`irontrack: ${error.message}${faults.join("")}`);
    return 1;
  }
  if (error instanceof ClusterError) {
    console.error(`irontrack: ${error.message}`);
    return 1;
  }
  if (error instanceof Error && error.name === "CACError") {
    console.error(`irontrack: ${error.message}`);
    return 2;
  }
  console.error(error);
  return 1;
}
