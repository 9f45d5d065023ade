import type { CAC } from "cac";
import { countOperations } from "../count-command.ts";
import { PROFILE_NAMES, profileNamed } from "../disk/profiles.ts";
import { runCommand } from "../run-command.ts";

/** What asks the application over its socket: exact counts, and load. */
export function registerLoad(cli: CAC): void {
  cli
    .command(
      "counts [...operations]",
      "Statements and waits for the disk of a request of each operation: exact anywhere",
    )
    .option("--write", "Write bench/counts.json anew, for review")
    .action(async (operations: string[], { write }: { write?: boolean }) => {
      const others = await countOperations(operations, { write: write ?? false });
      if (others.length > 0) console.error(`Other than bench/counts.json says: ${others.join(", ")}`);
      process.exit(others.length > 0 ? 1 : 0);
    });
  cli
    .command(
      "run <suite> [...operations]",
      "Put operations under load (suite http): Poisson arrivals, figures, a report",
    )
    .option("--rate <n>", "Requests a second of each operation", { default: 100 })
    .option("--seconds <s>", "Length of each run, after two seconds of warm-up", { default: 20 })
    .option("--profile <name>", PROFILE_NAMES.join(", "), { default: "native" })
    .option("--cold", "Begin each operation with few buffers and nothing of the database in the page cache")
    .option("--out <directory>", "Where to write; a directory of bench/results unless said")
    .action(async (suite: string, operations: string[], given: Record<string, string | number | boolean>) => {
      const { rate, seconds, out, cold } = given;
      const profile = profileNamed(String(given.profile));
      const options = { rate: Number(rate), seconds: Number(seconds), profile, isCold: cold === true };
      const isBelievable = await runCommand(suite, operations, { ...options, ...(out ? { out: String(out) } : {}) });
      // 2: there are figures, and they are not to be believed.
      process.exit(isBelievable ? 0 : 2);
    });
}
