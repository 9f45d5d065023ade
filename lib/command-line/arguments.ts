import type { CAC, Command } from "cac";
import { OperatorError } from "../errors.ts";
import { nearest } from "./nearest.ts";

type Option = Command["options"][number];
type NumberRule = { takes: string; accepts(value: number): boolean };

const integer = (min: number, max: number, takes = `a whole number from ${min}`): NumberRule => ({
  takes,
  accepts: (value) => Number.isSafeInteger(value) && value >= min && value <= max,
});
const finite = (takes: string, accepts: (value: number) => boolean): NumberRule => ({
  takes,
  accepts: (value) => Number.isFinite(value) && accepts(value),
});

/** Values of numeric options, by the placeholder in brackets. Other options take a text. */
const NUMBERS: Record<string, NumberRule> = {
  n: integer(1, Number.MAX_SAFE_INTEGER),
  count: integer(0, Number.MAX_SAFE_INTEGER),
  seed: integer(0, 2 ** 31 - 1, "a whole number from 0 to 2147483647"),
  athletes: integer(1, 100_000, "a whole number from 1 to 100000"),
  years: integer(1, 20, "a whole number from 1 to 20"),
  port: integer(1, 65_535, "a port from 1 to 65535"),
  workers: integer(1, 64, "a whole number from 1 to 64"),
  rate: finite("a number above 0", (value) => value > 0),
  s: finite("a number of seconds above 0", (value) => value > 0),
  seconds: finite("a number of seconds from 0", (value) => value >= 0),
  percent: finite("a number of percent from 0 to 100", (value) => value >= 0 && value <= 100),
  ratio: finite("a ratio of at least 1.01", (value) => value >= 1.01),
};

/**
 * Validates what `cli` parsed from `argv`, before the command runs: the command and options exist,
 * each option is given once with a valid value, and there are no surplus arguments. Restores text
 * values as they were typed, because cac converts everything that looks like a number. Throws
 * OperatorError with exit code 2.
 */
export function checkArguments(cli: CAC, argv: string[]): void {
  const command = cli.matchedCommand;
  if (!command) throw unknownCommand(cli);
  const options = [...cli.globalCommand.options, ...command.options];
  refuseUnknownOptions(cli, command, options);
  for (const option of options) checkValue(cli, option, argv);
  refuseSurplus(cli, command);
}

const usageError = (message: string) => new OperatorError(message, 2);

function unknownCommand(cli: CAC): OperatorError {
  const typed = cli.args[0] ?? "";
  const suggestion = nearest(
    typed,
    cli.commands.map(({ name }) => name),
  );
  return usageError(
    `There is no command ${typed}${suggestion ? `; did you mean ${suggestion}?` : ""} See ${cli.name} --help`,
  );
}

function refuseUnknownOptions(cli: CAC, command: Command, options: Option[]) {
  const names = options.flatMap(({ names }) => names);
  for (const name of Object.keys(cli.options)) {
    if (name === "--" || names.includes(name)) continue;
    const suggestion = nearest(name, names);
    throw usageError(
      `${command.name} has no option ${flag(name)}${suggestion ? `; did you mean ${flag(suggestion)}?` : ""} See ${cli.name} ${command.name} --help`,
    );
  }
}

function checkValue(cli: CAC, option: Option, argv: string[]) {
  const value = cli.options[option.name];
  if (value === undefined || value === option.config.default) return;
  const name = flag(option.name);
  if (Array.isArray(value)) throw usageError(`${name} may be given once`);
  if (option.isBoolean) {
    // cac treats the part after `=` as an argument.
    if (typeof value !== "boolean" || asTyped(option, argv, "=") !== undefined)
      throw usageError(`${name} takes no value`);
    return;
  }
  if (value === false) throw usageError(`There is no option --no-${dashed(option.name)}`);
  // `[value]` is optional; cac rejects a missing `<value>` when the command runs.
  if (value === true) return;
  const read = readValue(option, asTyped(option, argv) ?? String(value), typeof value === "object");
  for (const alias of option.names) cli.options[alias] = read;
}

function readValue({ name, rawName }: Option, text: string, isObject: boolean): string | number {
  const rule = NUMBERS[/[<[](.*)[>\]]/.exec(rawName)?.[1] ?? ""];
  const isInvalid = isObject || text.trim() === "" || (rule && !rule.accepts(Number(text)));
  if (isInvalid) throw usageError(`${flag(name)} takes ${rule?.takes ?? "a value"}`);
  return rule ? Number(text) : text;
}

/** The value of an option as typed, after `=` or (unless `only` is given) in the next word. */
function asTyped({ names }: Option, argv: string[], only?: "="): string | undefined {
  const flags = names.map(flag);
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  for (const [index, word] of words.entries()) {
    if (only === undefined && flags.includes(word)) return words[index + 1];
    const name = flags.find((candidate) => word.startsWith(`${candidate}=`));
    if (name !== undefined) return word.slice(name.length + 1);
  }
  return undefined;
}

function refuseSurplus(cli: CAC, command: Command) {
  const max = command.args.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : command.args.length;
  const args = [...cli.args, ...(cli.options["--"] ?? [])];
  if (args.length > max)
    throw usageError(
      `${command.name} does not take ${args.slice(max).join(" ")}: see ${cli.name} ${command.name} --help`,
    );
}

/** An option as it is typed: `--dry-run` for `dryRun`. */
export const flag = (name: string) => (name.length === 1 ? `-${name}` : `--${dashed(name)}`);
const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
