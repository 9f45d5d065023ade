import type { CAC } from "cac";
import { createProgress } from "#src/cli/progress.ts";
import { MOST_MOVED, measureTruth, movedBy, type WaitShares } from "../truth.ts";

/** Whether what is reported is so, whoever else is busy. */
export function registerTruth(cli: CAC): void {
  cli
    .command(
      "truth",
      "Does the reported wait for the disk hold beside processes that burn CPU? Exit 1 when it does not",
    )
    .option("--json", "Print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const progress = createProgress();
      const truth = await measureTruth(progress.step);
      progress.done();
      const moved = movedBy(truth);
      if (json) console.log(JSON.stringify({ ...truth, movedPoints: moved, mostPoints: MOST_MOVED }, null, 2));
      else {
        const lines: [keyof WaitShares, string][] = [
          ["reported", "waiting for the disk, as reported"],
          ["pressure", "/proc/pressure/io, some (of the kernel's disks)"],
          ["ioWait", "/proc/stat iowait (unreliable)"],
        ];
        console.log(`${"".padEnd(50)}    alone   beside burners`);
        for (const [key, label] of lines) {
          console.log(`${label.padEnd(50)} ${shown(truth.alone[key])}          ${shown(truth.besideBurners[key])}`);
        }
        console.log(`The reported share moved by ${moved.toFixed(1)} points; ${MOST_MOVED} would be too many.`);
      }
      process.exit(moved < MOST_MOVED ? 0 : 1);
    });
}

const shown = (share: number | null) => (share === null ? "     – " : `${(share * 100).toFixed(1).padStart(5)} %`);
