import type { CAC } from "cac";
import { createProgress } from "#lib/command-line/progress.ts";
import { profileNamed } from "../disk/profiles.ts";
import {
  MAX_MOVED,
  measureTruth,
  movedBy,
  type Truth,
  type WaitShares,
} from "../self-check/truth.ts";
import { positive } from "./options.ts";

/** Whether what is reported is so, whoever else is busy. */
export function registerTruth(cli: CAC): void {
  cli
    .command(
      "truth",
      "Does the reported wait for the disk hold beside processes that burn CPU? Exit 1 when it does not",
    )
    .option("--profile <name>", "hdd, hdd-block", { default: "hdd" })
    .option("--seconds <s>", "How long it is measured alone, and beside them", { default: 10 })
    .option("--json", "Print JSON")
    .action(
      async ({ json, profile, ...given }: { json?: boolean; profile: string; seconds: number }) => {
        const seconds = positive("--seconds", given.seconds);
        const progress = createProgress();
        const truth = await measureTruth({
          profile: profileNamed(profile),
          seconds,
          onStep: progress.step,
        });
        progress.done();
        const moved = movedBy(truth);
        if (json)
          console.log(
            JSON.stringify({ ...truth, movedPoints: moved, mostPoints: MAX_MOVED }, null, 2),
          );
        else console.log(textOf(truth));
        process.exit(moved < MAX_MOVED ? 0 : 1);
      },
    );
}

const LINES: [keyof WaitShares, string][] = [
  ["reported", "waiting for the disk, as reported"],
  ["blockIoDelay", "as reported, by the kernel's block-I/O delay"],
  ["ofResponse", "waiting for the disk, of the mean response"],
  ["ofBackends", "waiting for the disk, of statements' time"],
  ["ofTime", "waiting for the disk, of the time that passed"],
  ["pressure", "/proc/pressure/io, some (of the kernel's disks)"],
  ["ioWait", "/proc/stat iowait (unreliable)"],
];

function textOf(truth: Truth): string {
  const { profile, alone, besideBurners } = truth;
  const rows = LINES.map(([key, label]) => {
    const moved = alone[key] === null ? "" : movedBy(truth, key).toFixed(1).padStart(10);
    return `${label.padEnd(50)} ${shown(alone[key])}          ${shown(besideBurners[key])}${moved}`;
  });
  return `${profile.padEnd(50)}    alone   beside burners  moved by
${rows.join("\n")}
A set was logged in ${alone.responseMs.toFixed(1)} ms alone and in ${besideBurners.responseMs.toFixed(1)} ms beside burners, of which it waited for the disk ${waitedMs(alone)} and ${waitedMs(besideBurners)}.
${alone.blockIoDelay === null ? "The kernel tells block-I/O delay only with: sysctl kernel.task_delayacct=1\n" : ""}The reported share moved by ${movedBy(truth).toFixed(1)} points; ${MAX_MOVED} would be too many.`;
}

const waitedMs = ({ costs }: Truth["alone"]) => (costs.disk + costs.diskOfOthers).toFixed(1);

const shown = (share: number | null) =>
  share === null ? "     – " : `${(share * 100).toFixed(1).padStart(5)} %`;
