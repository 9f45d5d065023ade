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

/** The command that fills a database: with the catalog, or with invented athletes. */
export function registerSeedCommand(cli: CAC): void {
  cli
    .command(
      "seed",
      "Bring the catalog to what the files under seeds/catalog say, or add invented athletes (--demo)",
    )
    .option("--only <parts>", `Some parts only, by comma: ${SEED_PARTS.join(", ")}`)
    .option("--overwrite", "Also bring back what administrators changed by hand")
    .option(
      "--demo <athletes>",
      "Add that many invented athletes with training instead; those that are there stay as they are",
    )
    .option("--years <years>", "How long they have trained, up to 2026 (1)")
    .option("--random-seed <seed>", "Other athletes for another number; the same for the same (1)")
    .option("--password", "Ask for a password for them; without one nobody can sign in as them")
    .option("--password-stdin", "Read it from standard input")
    .option(
      "--fast",
      "Check what refers to what at the end and not row by row (database superusers only)",
    )
    .option("--dry-run", "Show what would be done, and do nothing")
    .option("--json", "Print JSON")
    .action((flags: Flags) => (flags.demo === undefined ? seed(flags) : demo(flags.demo, flags)));
}

async function seed(flags: Flags) {
  refuse(
    flags,
    ["years", "randomSeed", "password", "passwordStdin", "fast"],
    "goes with --demo only",
  );
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
  refuse(flags, ["only", "overwrite"], "is for the catalog, not for --demo");
  const config = readConfig(process.env);
  const passwordHash = await hashGiven(config, flags);
  const progress = createProgress();
  await withDatabase(config, async (db) => {
    const { seconds, ...added } = await seedDemo(db, {
      athletes,
      years: flags.years ?? 1,
      seed: flags.randomSeed ?? 1,
      ...(passwordHash === undefined ? {} : { passwordHash }),
      fast: flags.fast ?? false,
      dryRun: flags.dryRun ?? false,
      // On a terminal one line that is replaced; a line for every slice would be noise in a log.
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
  const shown = (count: number) => count.toLocaleString("en");
  const kept = existing === 0 ? "" : `; ${shown(existing)} were there already and stay as they are`;
  if (athletes === 0) return `Nothing to add${kept}`;
  const what = `${shown(athletes)} athletes, ${shown(figures.workouts)} workouts, ${shown(figures.sets)} sets`;
  if (isDryRun) return `Would add ${what}${kept}`;
  return `Added ${what} in ${seconds} s (${shown(figures.setsPerSecond)} sets/s)${kept}`;
}

/** A password's hash when one was asked for. */
async function hashGiven(
  config: Config,
  { password, passwordStdin, dryRun }: Flags,
): Promise<string | undefined> {
  if (dryRun || !(password || passwordStdin)) return undefined;
  return createPasswords(config).hash(await readNewPassword({ fromStdin: passwordStdin ?? false }));
}

function refuse(flags: Flags, names: (keyof Flags)[], why: string) {
  const given = names.find((name) => flags[name] !== undefined);
  if (given) throw new OperatorError(`${flag(given)} ${why}`, 2);
}

function seedParts(given: string): SeedPart[] {
  const parts = given.split(",").map((part) => part.trim());
  const wrong = parts.find((part) => !(SEED_PARTS as readonly string[]).includes(part));
  if (wrong !== undefined) {
    throw new OperatorError(`--only takes ${SEED_PARTS.join(", ")}; there is no part ${wrong}`, 2);
  }
  return parts as SeedPart[];
}
