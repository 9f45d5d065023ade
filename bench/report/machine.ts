import { type Fingerprint, hostName } from "../hosts/fingerprint.ts";
import { type HostFile, listHosts, readHost } from "../hosts/hosts.ts";
import type { RunResult } from "../measure/run-http.ts";
import { escaped, figure, folded, table } from "./html.ts";

/** On what it was measured, and how: what a figure means nothing without. */
export function machineHtml(host: Fingerprint, run?: RunResult): string {
  const about: [string, string][] = [
    ["Processor", `${hostName(host)}, ${host.memoryGib} GiB of memory`],
    ["Software", `Linux ${host.kernel}, Bun ${host.bun}, PostgreSQL ${host.postgres}`],
    [
      "Commit",
      `${host.commit}${host.isDirty ? `, with changes that are not committed${host.changed ? `: ${host.changed.join(", ")}` : ""}` : ""}`,
    ],
    ["Cores", host.pins],
    ...(run
      ? [["Disk", diskText(run)] as [string, string], ["Load", loadText(run)] as [string, string]]
      : []),
    ["When", `${host.at.slice(0, 16).replace("T", " ")} UTC`],
  ];
  const list = about.map(([what, is]) => `<dt>${what}</dt><dd>${escaped(is)}</dd>`).join("");
  return `<dl>${list}</dl>${calibrationHtml(host)}`;
}

/** The command that measures the same anew; undefined of results that do not know it. */
export const commandText = ({ commit, command }: Fingerprint): string | undefined =>
  command && `git checkout ${commit}\n./irontrack bench ${command}`;

/** Which disk, in which state, and what it was found to be. */
export const diskText = ({ disk, isCold }: RunResult): string =>
  [
    disk.what,
    `${disk.fdatasync.perSecond.toFixed(0)} flushes a second`,
    ...(isCold ? ["cold: few buffers, nothing in the page cache at first"] : []),
  ].join("; ");

const loadText = ({ results }: RunResult) =>
  `${results[0]?.offeredPerSecond.toFixed(0) ?? 0} requests a second over 32 connections of a Unix socket, in ${results[0]?.runs.length ?? 0} runs of each operation${waveText(results)}`;

/** Who came at once, where somebody did; begins with a comma. */
export const waveText = (results: RunResult["results"]): string =>
  results
    .filter(({ cameAtOnce }) => cameAtOnce)
    .map(
      ({ operation, cameAtOnce }) =>
        `, ${cameAtOnce} of those of ${operation} at once on connections of their own`,
    )
    .join("");

/** Calibration of this very processor, where somebody has made it. */
function calibrationHtml({ cpu, cores }: Fingerprint): string {
  const host = listHosts()
    .map((id) => readHost(id))
    .find((one) => one.cpu.model === cpu && one.cpu.cores === cores && one.calibration.at !== null);
  if (!host)
    return '<p class="dim">This processor is not calibrated (./irontrack bench calibrate).</p>';
  return folded(
    `Calibration of such a machine: bench/hosts/${host.id}.json`,
    calibrationTable(host),
  );
}

function calibrationTable({ calibration: { kernels, fdatasync, randomReads } }: HostFile): string {
  const waits = {
    "fdatasync, alone": fdatasync,
    "random read, alone": randomReads.qd1,
    "eight random reads": randomReads.qd8,
  };
  const rows = [
    ...Object.entries(kernels).map(([name, found]) => [
      name,
      figure(found?.medianMs),
      figure(found?.minMs),
      "–",
    ]),
    ...Object.entries(waits).map(([name, found]) => [
      name,
      figure(found?.medianMs),
      "–",
      figure(found?.perSecond),
    ]),
  ];
  return table(
    "Small things on one core, and the disk",
    ["", "median, ms", "least, ms", "a second"],
    rows,
  );
}
