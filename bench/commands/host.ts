import type { CAC } from "cac";
import { listNeeds } from "../doctor.ts";
import { isRight, smoke } from "../smoke.ts";

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
}
