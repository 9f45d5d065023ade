import type { CAC } from "cac";
import { type HostFile, writeHost } from "../hosts/hosts.ts";
import { calibrate } from "../measure/calibrate.ts";
import { listNeeds } from "../self-check/doctor.ts";
import { isRight, smoke } from "../self-check/smoke.ts";
import { positive } from "./options.ts";

/** What is about this machine and the laboratory on it. */
export function registerHost(cli: CAC): void {
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
    .command(
      "calibrate",
      "What this processor and this disk take for a few small things: the host's file in bench/hosts",
    )
    .option(
      "--id <id>",
      "The host's file to fill, fx8320-hdd on the reference machine; by the hardware unless said",
    )
    .option(
      "--directory <path>",
      "On the disk to measure; the directory for temporary files unless said",
    )
    .option("--seconds <s>", "Length of each measurement of the disk", { default: 5 })
    .option("--dry-run", "Print, and write no file")
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
      "What the laboratory proves of itself, within a minute: exit 1 when it is fooled",
    )
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
}

/** Of a host that has been calibrated just now. */
function linesOf({ id, cpu, disk, calibration }: HostFile): string {
  const { kernels, fdatasync, randomReads, randomReadsOf } = calibration;
  const ms = (value: number | undefined) => (value?.toFixed(3) ?? "–").padStart(10);
  const waits = { fdatasync, "random read": randomReads.qd1, "  8 at a time": randomReads.qd8 };
  return [
    `${id}: ${cpu.model}, ${cpu.cores} cores; ${disk.model}`,
    `${"".padEnd(14)}${"least ms".padStart(10)}${"median".padStart(10)}`,
    ...Object.entries(kernels).map(
      ([name, of]) => `${name.padEnd(14)}${ms(of?.minMs)}${ms(of?.medianMs)}`,
    ),
    `${"".padEnd(14)}${"a second".padStart(10)}${"median ms".padStart(10)}${"p99 ms".padStart(10)}`,
    ...Object.entries(waits).map(
      ([name, of]) =>
        `${name.padEnd(14)}${(of?.perSecond.toFixed(1) ?? "–").padStart(10)}${ms(of?.medianMs)}${ms(of?.p99Ms)}`,
    ),
    `random reads of ${randomReadsOf}`,
  ].join("\n");
}
