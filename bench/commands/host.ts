import type { CAC } from "cac";
import { type HostFile, writeHost } from "../hosts/hosts.ts";
import { calibrate } from "../measure/calibrate.ts";
import { listNeeds } from "../self-check/doctor.ts";
import { isRight, smoke } from "../self-check/smoke.ts";
import { positive } from "./options.ts";

/** Commands about this machine and its suitability for measurements. */
export function registerHost(cli: CAC): void {
  cli
    .command("doctor", "Check what this host can measure, and how to enable the rest")
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
    .command(
      "calibrate",
      "Measure reference times of this CPU and disk, and write the host's file in bench/hosts",
    )
    .option(
      "--id <id>",
      "The host's file, such as fx8320-hdd for the reference machine (default: named after the hardware)",
    )
    .option(
      "--directory <path>",
      "A directory on the disk to measure (default: the temporary directory)",
    )
    .option("--seconds <s>", "Length of each disk measurement in seconds", { default: 5 })
    .option("--dry-run", "Print the result without writing a file")
    .option("--json", "Print JSON")
    .action(
      async ({
        id,
        directory,
        seconds,
        dryRun,
        json,
      }: Record<string, string | number | boolean>) => {
        const host = await calibrate({
          ...(id ? { id: String(id) } : {}),
          ...(directory ? { directory: String(directory) } : {}),
          seconds: positive("--seconds", seconds),
          onStep: (step) => void process.stderr.write(`${step}\n`),
        });
        console.log(json ? JSON.stringify(host, null, 2) : linesOf(host));
        if (!dryRun) process.stderr.write(`Written to ${writeHost(host)}\n`);
      },
    );
  cli
    .command(
      "smoke",
      "Verify the laboratory itself within a minute: stalls, emulated disk, planted faults",
    )
    .option("--json", "Print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const checks = await smoke((step) => process.stderr.write(`${step}\n`));
      if (json) console.log(JSON.stringify(checks, null, 2));
      for (const check of json ? [] : checks) {
        const { what, found, min, max } = check;
        const range = min === max ? `${min}` : `${min.toFixed(1)} to ${max.toFixed(1)}`;
        console.log(
          `${isRight(check) ? "ok   " : "WRONG"} ${what.padEnd(58)} ${found.toFixed(1).padStart(7)}   (${range})`,
        );
      }
      process.exit(checks.every(isRight) ? 0 : 1);
    });
}

function linesOf({ id, cpu, disk, calibration }: HostFile): string {
  const { kernels, fdatasync, randomReads, randomReadsOf } = calibration;
  const ms = (value: number | undefined) => (value?.toFixed(3) ?? "–").padStart(10);
  const waits = { fdatasync, "random read": randomReads.qd1, "  depth 8": randomReads.qd8 };
  return [
    `${id}: ${cpu.model}, ${cpu.cores} cores; ${disk.model}`,
    `${"".padEnd(14)}${"min ms".padStart(10)}${"median".padStart(10)}`,
    ...Object.entries(kernels).map(
      ([name, time]) => `${name.padEnd(14)}${ms(time?.minMs)}${ms(time?.medianMs)}`,
    ),
    `${"".padEnd(14)}${"per second".padStart(10)}${"median ms".padStart(10)}${"p99 ms".padStart(10)}`,
    ...Object.entries(waits).map(
      ([name, wait]) =>
        `${name.padEnd(14)}${(wait?.perSecond.toFixed(1) ?? "–").padStart(10)}${ms(wait?.medianMs)}${ms(wait?.p99Ms)}`,
    ),
    `random reads of ${randomReadsOf}`,
  ].join("\n");
}
