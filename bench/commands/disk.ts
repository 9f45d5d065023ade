import type { CAC } from "cac";
import { OperatorError } from "#lib/errors.ts";
import { openBlockDisk } from "../disk/block.ts";
import { takeDown } from "../disk/block-down.ts";
import { isAbandoned, listStates, pathsIn } from "../disk/block-state.ts";
import { type DiskFigures, findDiskWarnings, measureProfile } from "../disk/check.ts";
import { PROFILE_NAMES, type ProfileName, profileNamed, profileOf } from "../disk/profiles.ts";
import { positive } from "./options.ts";

/** Commands about real and emulated disks. */
export function registerDisk(cli: CAC): void {
  cli
    .command(
      "disk [...profiles]",
      `Measure disks: flushes, and commits of 1, 8 and 32 clients (${PROFILE_NAMES.join(", ")})`,
    )
    .option("--seconds <s>", "Length of each measurement in seconds", { default: 2 })
    .option("--json", "Print JSON")
    .action(async (names: string[], { seconds, json }: { seconds: number; json?: boolean }) => {
      const profiles =
        names.length > 0
          ? names.map(profileNamed)
          : PROFILE_NAMES.filter((name) => name !== "hdd-block");
      const results: ({ profile: ProfileName; doubts: string[] } & DiskFigures)[] = [];
      for (const profile of profiles) {
        const figures = await measureProfile(profile, [1, 8, 32], positive("--seconds", seconds));
        results.push({ profile, ...figures, doubts: findDiskWarnings(profile, figures) });
        if (!json) console.log(linesOf(profile, figures, findDiskWarnings(profile, figures)));
      }
      if (json) console.log(JSON.stringify(results, null, 2));
      process.exit(results.every(({ doubts }) => doubts.length === 0) ? 0 : 2);
    });
  cli
    .command(
      "hdd <up|down|status>",
      "Create or remove a separate emulated slow block device (root)",
    )
    .option("--abandoned", "down: remove only abandoned devices, not that of hdd up")
    .option("--json", "Print JSON")
    .action(
      async (action: string, { json, abandoned }: { json?: boolean; abandoned?: boolean }) => {
        if (action === "up") return await up(json ?? false);
        if (action === "down") return down(abandoned ?? false);
        if (action === "status") return status(json ?? false);
        throw new OperatorError(`hdd takes up, down or status, not ${action}`, 2);
      },
    );
}

function linesOf(
  profile: ProfileName,
  { fdatasync, grouping }: DiskFigures,
  doubts: string[],
): string {
  const { perSecond, medianMs, p99Ms } = fdatasync;
  return [
    `${profile}: ${profileOf(profile).what}`,
    `  fdatasync   ${perSecond.toFixed(1)} per second, median ${medianMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`,
    ...grouping.map(
      ({ clients, commitsPerSecond, commitsPerFlush }) =>
        `  ${String(clients).padStart(2)} clients  ${commitsPerSecond.toFixed(0).padStart(5)} commits per second, ${commitsPerFlush.toFixed(2)} per flush`,
    ),
    ...doubts.map((warning) => `  void: ${warning}`),
  ].join("\n");
}

async function up(json: boolean): Promise<void> {
  const disk = await openBlockDisk("up", { isKept: true });
  disk.emulateDelays(true);
  console.log(
    json
      ? JSON.stringify({ mount: disk.mount, loop: disk.loop })
      : `${disk.mount} is on ${disk.loop}, an emulated slow disk`,
  );
}

/** Leaves the devices of running benches, which remove their own. */
function down(onlyAbandoned: boolean): void {
  const states = listStates().filter(
    (state) => isAbandoned(state) || (state.owner === null && !onlyAbandoned),
  );
  for (const state of states) takeDown(state);
  console.log(
    states.length === 0
      ? "there is no emulated device"
      : `removed: ${states.map(({ directory }) => directory).join(", ")}`,
  );
}

function status(json: boolean): void {
  const states = listStates().map((state) => ({ ...state, isAbandoned: isAbandoned(state) }));
  if (json) console.log(JSON.stringify(states, null, 2));
  else if (states.length === 0) console.log("there is no emulated device");
  for (const { directory, loop, owner, isAbandoned } of json ? [] : states) {
    const use =
      owner === null
        ? "until hdd down"
        : isAbandoned
          ? "abandoned"
          : `used by process ${owner.pid}`;
    console.log(`${pathsIn(directory).mount} on ${loop ?? "no device yet"}, ${use}`);
  }
}
