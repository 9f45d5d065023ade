import { cac } from "cac";
import { OperatorError } from "../src/errors.ts";
import { benchCatalog } from "./catalog.ts";
import { compareWithBare, OPERATIONS } from "./compare.ts";
import { countOperations } from "./count-command.ts";
import { listNeeds } from "./doctor.ts";
import { benchGrowth } from "./growth.ts";
import { comparePasswordLibraries } from "./passwords.ts";
import { runCommand } from "./run-command.ts";
import { isRight, smoke } from "./smoke.ts";
import { benchTraining } from "./training.ts";

const cli = cac("bun bench");
cli
  .command("[...operations]", `Server CPU per request beside a bare Bun.serve: ${Object.keys(OPERATIONS).join(", ")}`)
  .option("--pairs <n>", "Pairs of runs, each with fresh processes", { default: 9 })
  .option("--seconds <s>", "Length of a run", { default: 2 })
  .option("--connections <n>", "Connections, closed loop", { default: 32 })
  .option("--json", "Print JSON")
  .action(compareWithBare);
cli
  .command("passwords", "Argon2id: @node-rs/argon2 beside Bun.password, with the settings of this host")
  .option("--pairs <n>", "Pairs of hashes", { default: 15 })
  .action(async ({ pairs }: { pairs: number }) => console.log(await comparePasswordLibraries(Number(pairs))));
cli
  .command("catalog", "The page of exercises beside five flat statements, pgbench and a bare ping")
  .option("--pairs <n>", "Rounds, each with fresh processes", { default: 9 })
  .option("--seconds <s>", "Length of a run", { default: 2 })
  .option("--json", "Print JSON, every run included")
  .action(({ pairs, seconds, json }: { pairs: number; seconds: number; json?: boolean }) =>
    benchCatalog({ pairs: Number(pairs), seconds: Number(seconds), json: json ?? false }),
  );
cli
  .command("growth", "Reads of exercises with many exercises of other people, beside few")
  .option("--few <n>", "Exercises of other people at first", { default: 10_000 })
  .option("--many <n>", "Exercises of other people in the end", { default: 1_000_000 })
  .action(({ few, many }: { few: number; many: number }) => benchGrowth(Number(few), Number(many)));
cli
  .command(
    "training",
    "Operations on one's training among many people's sets, beside few; logging a set beside pgbench",
  )
  .option("--small <n>", "Sets in the smaller database", { default: 100_000 })
  .option("--large <n>", "Sets in the larger database", { default: 10_000_000 })
  .option("--rounds <n>", "Rounds of runs", { default: 10 })
  .option("--runs <n>", "Runs of each operation in a round", { default: 30 })
  .option("--pairs <n>", "Pairs of runs beside pgbench", { default: 7 })
  .option("--seconds <s>", "Length of a run beside pgbench", { default: 3 })
  .option("--explain", "Also print the plans in the larger database")
  .action(({ explain, ...given }: Record<string, unknown>) => {
    const { small, large, rounds, runs, pairs, seconds } = given;
    const [few, many] = [Number(small), Number(large)];
    return benchTraining({
      ...{ small: few, large: many, rounds: Number(rounds), runs: Number(runs) },
      ...{ pairs: Number(pairs), seconds: Number(seconds), explain: explain === true },
    });
  });
cli
  .command("counts [...operations]", "Statements and waits for the disk of a request of each operation: exact anywhere")
  .option("--write", "Write bench/counts.json anew, for review")
  .action(async (operations: string[], { write }: { write?: boolean }) => {
    const others = await countOperations(operations, { write: write ?? false });
    if (others.length > 0) console.error(`Other than bench/counts.json says: ${others.join(", ")}`);
    process.exit(others.length > 0 ? 1 : 0);
  });
cli
  .command("run <suite> [...operations]", "Put operations under load (suite http): Poisson arrivals, figures, a report")
  .option("--rate <n>", "Requests a second of each operation", { default: 100 })
  .option("--seconds <s>", "Length of each run, after two seconds of warm-up", { default: 20 })
  .option("--profile <name>", "native, or hdd: an emulated disk of 7200 rpm", { default: "native" })
  .option("--out <directory>", "Where to write; a directory of bench/results unless said")
  .action(async (suite: string, operations: string[], given: Record<string, string | number>) => {
    const { rate, seconds, profile, out } = given;
    const options = { rate: Number(rate), seconds: Number(seconds), profile: profile as "native" | "hdd" };
    const isBelievable = await runCommand(suite, operations, { ...options, ...(out ? { out: String(out) } : {}) });
    // 2: there are figures, and they are not to be believed.
    process.exit(isBelievable ? 0 : 2);
  });
cli
  .command("doctor", "What this host can and cannot measure, and how to switch the rest on")
  .option("--json", "Print JSON")
  .action(({ json }: { json?: boolean }) => {
    const needs = listNeeds();
    if (json) console.log(JSON.stringify(needs, null, 2));
    for (const { what, isHere, without, remedy } of json ? [] : needs) {
      console.log(isHere ? `ok       ${what}` : `missing  ${what}: ${without}; ${remedy}`);
    }
    process.exit(needs.every(({ isHere }) => isHere) ? 0 : 1);
  });
cli
  .command("smoke", "What the laboratory proves of itself, within a minute: exit 1 when it is fooled")
  .option("--json", "Print JSON")
  .action(async ({ json }: { json?: boolean }) => {
    const found = await smoke((step) => process.stderr.write(`${step}\n`));
    if (json) console.log(JSON.stringify(found, null, 2));
    for (const finding of json ? [] : found) {
      const { what, found: is, least, most } = finding;
      const range = least === most ? `${least}` : `${least.toFixed(1)} to ${most.toFixed(1)}`;
      console.log(
        `${isRight(finding) ? "ok   " : "WRONG"} ${what.padEnd(58)} ${is.toFixed(1).padStart(7)}   (${range})`,
      );
    }
    process.exit(found.every(isRight) ? 0 : 1);
  });
cli.help();
try {
  cli.parse(process.argv, { run: false });
  await cli.runMatchedCommand();
} catch (error) {
  if (!(error instanceof OperatorError || (error as Error).name === "CACError")) throw error;
  console.error(`bun bench: ${(error as Error).message}`);
  process.exit(2);
}
