import type { CAC, Command } from "cac";
import { OperatorError } from "../errors.ts";
import { nearest } from "./nearest.ts";

type Option = Command["options"][number];
type NumberRule = { takes: string; accepts(value: number): boolean };

const whole = (
  least: number,
  most: number,
  takes = `a whole number from ${least}`,
): NumberRule => ({
  takes,
  accepts: (value) => Number.isSafeInteger(value) && value >= least && value <= most,
});
const finite = (takes: string, accepts: (value: number) => boolean): NumberRule => ({
  takes,
  accepts: (value) => Number.isFinite(value) && accepts(value),
});

/**
 * What a numeric option accepts, by the placeholder in its brackets; any other placeholder means a
 * text.
 */
const NUMBERS: Record<string, NumberRule> = {
  n: whole(1, Number.MAX_SAFE_INTEGER),
  count: whole(0, Number.MAX_SAFE_INTEGER),
  seed: whole(0, 2 ** 31 - 1, "a whole number from 0 to 2147483647"),
  athletes: whole(1, 100_000, "a whole number from 1 to 100000"),
  years: whole(1, 20, "a whole number from 1 to 20"),
  port: whole(1, 65_535, "a port from 1 to 65535"),
  workers: whole(1, 64, "a whole number from 1 to 64"),
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

const wrong = (message: string) => new OperatorError(message, 2);

function unknownCommand(cli: CAC): OperatorError {
  const typed = cli.args[0] ?? "";
  const found = nearest(
    typed,
    cli.commands.map(({ name }) => name),
  );
  return wrong(
    `There is no command ${typed}${found ? `; did you mean ${found}?` : ""} See ${cli.name} --help`,
  );
}

function refuseUnknownOptions(cli: CAC, command: Command, options: Option[]) {
  const known = options.flatMap(({ names }) => names);
  for (const given of Object.keys(cli.options)) {
    if (given === "--" || known.includes(given)) continue;
    const found = nearest(given, known);
    throw wrong(
      `${command.name} has no option ${flag(given)}${found ? `; did you mean ${flag(found)}?` : ""} See ${cli.name} ${command.name} --help`,
    );
  }
}

function checkValue(cli: CAC, option: Option, argv: string[]) {
  const value = cli.options[option.name];
  if (value === undefined || value === option.config.default) return;
  const shown = flag(option.name);
  if (Array.isArray(value)) throw wrong(`${shown} may be given once`);
  if (option.isBoolean) {
    // cac takes the part after `=` for an argument.
    if (typeof value !== "boolean" || asTyped(option, argv, "=") !== undefined)
      throw wrong(`${shown} takes no value`);
    return;
  }
  if (value === false) throw wrong(`There is no option --no-${dashed(option.name)}`);
  // `[value]` may be left out; cac refuses a missing `<value>` when the command runs.
  if (value === true) return;
  const read = readValue(option, asTyped(option, argv) ?? String(value), typeof value === "object");
  for (const name of option.names) cli.options[name] = read;
}

function readValue({ name, rawName }: Option, text: string, isOther: boolean): string | number {
  const rule = NUMBERS[/[<[](.*)[>\]]/.exec(rawName)?.[1] ?? ""];
  const isWrong = isOther || text.trim() === "" || (rule && !rule.accepts(Number(text)));
  if (isWrong) throw wrong(`${flag(name)} takes ${rule?.takes ?? "a value"}`);
  return rule ? Number(text) : text;
}

/** The value of an option as typed: after `=`, or in the next word, which `only` rules out. */
function asTyped({ names }: Option, argv: string[], only?: "="): string | undefined {
  const flags = names.map(flag);
  const end = argv.indexOf("--");
  const given = end < 0 ? argv : argv.slice(0, end);
  for (const [at, word] of given.entries()) {
    if (only === undefined && flags.includes(word)) return given[at + 1];
    const name = flags.find((candidate) => word.startsWith(`${candidate}=`));
    if (name !== undefined) return word.slice(name.length + 1);
  }
  return undefined;
}

function refuseSurplus(cli: CAC, command: Command) {
  const most = command.args.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : command.args.length;
  const given = [...cli.args, ...(cli.options["--"] ?? [])];
  if (given.length > most)
    throw wrong(
      `${command.name} does not take ${given.slice(most).join(" ")}: see ${cli.name} ${command.name} --help`,
    );
}

/** The option of a name as it is typed: `--dry-run` for `dryRun`. */
export const flag = (name: string) => (name.length === 1 ? `-${name}` : `--${dashed(name)}`);
const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
