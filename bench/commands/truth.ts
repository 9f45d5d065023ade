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

/** The command that verifies the reported I/O wait under CPU contention. */
export function registerTruth(cli: CAC): void {
  cli
    .command("truth", "Verify that the reported I/O wait does not change under CPU contention")
    .option("--profile <name>", "hdd, hdd-block", { default: "hdd" })
    .option("--seconds <s>", "Length of each of the two measurements in seconds", { default: 10 })
    .option("--json", "Print JSON")
    .action(
      async ({
        json,
        profile,
        ...options
      }: {
        json?: boolean;
        profile: string;
        seconds: number;
      }) => {
        const seconds = positive("--seconds", options.seconds);
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
  ["reported", "I/O wait as reported"],
  ["blockIoDelay", "as reported, from the kernel's block-I/O delay"],
  ["ofResponse", "disk wait as a share of the mean latency"],
  ["ofBackends", "disk wait as a share of statement time"],
  ["ofTime", "disk wait as a share of elapsed time"],
  ["pressure", "/proc/pressure/io, some"],
  ["ioWait", "/proc/stat iowait (unreliable)"],
];

function textOf(truth: Truth): string {
  const { profile, alone, besideBurners } = truth;
  const rows = LINES.map(([key, label]) => {
    const moved = alone[key] === null ? "" : movedBy(truth, key).toFixed(1).padStart(10);
    return `${label.padEnd(50)} ${shareText(alone[key])}      ${shareText(besideBurners[key])}${moved}`;
  });
  return `${profile.padEnd(50)}    alone   with burners  difference
${rows.join("\n")}
LogSet took ${alone.responseMs.toFixed(1)} ms alone and ${besideBurners.responseMs.toFixed(1)} ms with burners, of which ${waitedMs(alone)} and ${waitedMs(besideBurners)} ms were disk wait.
${alone.blockIoDelay === null ? "Block-I/O delay needs: sysctl kernel.task_delayacct=1\n" : ""}The reported I/O wait differs by ${movedBy(truth).toFixed(1)} percentage points; the limit is ${MAX_MOVED}.`;
}

const waitedMs = ({ costs }: Truth["alone"]) => (costs.disk + costs.diskOfOthers).toFixed(1);

const shareText = (share: number | null) =>
  share === null ? "     – " : `${(share * 100).toFixed(1).padStart(5)} %`;
