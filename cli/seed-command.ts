import type { CAC } from "cac";
import { flag } from "#lib/command-line/arguments.ts";
import { printRows } from "#lib/command-line/output.ts";
import { createProgress } from "#lib/command-line/progress.ts";
import { OperatorError } from "#lib/errors.ts";
import { SEED_PARTS, type SeedPart, seedCatalog } from "#seeds/catalog.ts";
import { seedDemo } from "#seeds/demo.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { createPasswords } from "#src/access/passwords.ts";
import { withDatabase, withInvalidations } from "#src/app/database.ts";
import { type Config, readConfig } from "#src/config/config.ts";
import { readNewPassword } from "./prompt.ts";

type Flags = {
  only?: string;
  overwrite?: boolean;
  demo?: number;
  years?: number;
  randomSeed?: number;
  password?: boolean;
  passwordStdin?: boolean;
  fast?: boolean;
  dryRun?: boolean;
  json?: boolean;
};

/** The command that writes the catalog, or demo athletes, into the database. */
export function registerSeedCommand(cli: CAC): void {
  cli
    .command(
      "seed",
      "Update the catalog from the files in seeds/catalog, or add demo athletes (--demo)",
    )
    .option("--only <parts>", `Only some parts, comma-separated: ${SEED_PARTS.join(", ")}`)
    .option("--overwrite", "Also overwrite what administrators changed")
    .option(
      "--demo <athletes>",
      "Add this many demo athletes with training instead; existing ones are not changed",
    )
    .option("--years <years>", "How many years they have trained, up to 2026 (1)")
    .option("--random-seed <seed>", "The same number gives the same athletes (1)")
    .option("--password", "Ask for their password; without one nobody can sign in as them")
    .option("--password-stdin", "Read it from standard input")
    .option(
      "--fast",
      "Check references at the end instead of row by row (database superusers only)",
    )
    .option("--dry-run", "Show what would be done; write nothing")
    .option("--json", "Print JSON")
    .action((flags: Flags) => (flags.demo === undefined ? seed(flags) : demo(flags.demo, flags)));
}

async function seed(flags: Flags) {
  refuse(flags, ["years", "randomSeed", "password", "passwordStdin", "fast"], "needs --demo");
  const only = flags.only === undefined ? undefined : seedParts(flags.only);
  const options = { ...(only ? { only } : {}), overwrite: flags.overwrite ?? false };
  const config = readConfig(process.env);
  // A dry run changes nothing, so there is nothing to invalidate.
  const reports = flags.dryRun
    ? await withDatabase(config, (db) =>
        seedCatalog(db, readCatalog(), { ...options, dryRun: true }),
      )
    : await withInvalidations(config, (db, invalidations) =>
        invalidations.publish({ catalog: true }, (invalidationMessage) =>
          seedCatalog(db, readCatalog(), { ...options, invalidationMessage }),
        ),
      );
  printRows(reports, { json: flags.json ?? false });
}

async function demo(athletes: number, flags: Flags) {
  refuse(flags, ["only", "overwrite"], "cannot be combined with --demo");
  const config = readConfig(process.env);
  const passwordHash = await hashPassword(config, flags);
  const progress = createProgress();
  await withDatabase(config, async (db) => {
    const { seconds, ...added } = await seedDemo(db, {
      athletes,
      years: flags.years ?? 1,
      seed: flags.randomSeed ?? 1,
      ...(passwordHash === undefined ? {} : { passwordHash }),
      fast: flags.fast ?? false,
      dryRun: flags.dryRun ?? false,
      // On a terminal one line is replaced; in a log, a line for every slice would be noise.
      ...(process.stderr.isTTY
        ? { onProgress: (sets) => progress.step(`${sets.toLocaleString("en")} sets`) }
        : {}),
    });
    progress.done();
    const figures = {
      ...added,
      seconds: Number(seconds.toFixed(1)),
      setsPerSecond: Math.round(added.sets / seconds),
    };
    if (flags.json) printRows([figures], { json: true });
    else console.log(summary(figures, flags.dryRun ?? false));
  });
}

function summary(
  figures: Record<
    "athletes" | "existing" | "workouts" | "sets" | "seconds" | "setsPerSecond",
    number
  >,
  isDryRun: boolean,
): string {
  const { athletes, existing, seconds } = figures;
  const format = (count: number) => count.toLocaleString("en");
  const kept = existing === 0 ? "" : `; ${format(existing)} exist and are not changed`;
  if (athletes === 0) return `Nothing to add${kept}`;
  const what = `${format(athletes)} athletes, ${format(figures.workouts)} workouts, ${format(figures.sets)} sets`;
  if (isDryRun) return `Would add ${what}${kept}`;
  return `Added ${what} in ${seconds} s (${format(figures.setsPerSecond)} sets/s)${kept}`;
}

/** The hash of the password, if one was requested. */
async function hashPassword(
  config: Config,
  { password, passwordStdin, dryRun }: Flags,
): Promise<string | undefined> {
  if (dryRun || !(password || passwordStdin)) return undefined;
  return createPasswords(config).hash(await readNewPassword({ fromStdin: passwordStdin ?? false }));
}

function refuse(flags: Flags, names: (keyof Flags)[], why: string) {
  const misplaced = names.find((name) => flags[name] !== undefined);
  if (misplaced) throw new OperatorError(`${flag(misplaced)} ${why}`, 2);
}

function seedParts(list: string): SeedPart[] {
  const parts = list.split(",").map((part) => part.trim());
  const unknown = parts.find((part) => !(SEED_PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) {
    throw new OperatorError(
      `--only takes ${SEED_PARTS.join(", ")}; there is no part ${unknown}`,
      2,
    );
  }
  return parts as SeedPart[];
}
