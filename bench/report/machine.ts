import { figure } from "../figures/format.ts";
import { type Fingerprint, hostName } from "../hosts/fingerprint.ts";
import { type HostFile, listHosts, readHost } from "../hosts/hosts.ts";
import type { RunResult } from "../measure/run-http.ts";
import { escaped, folded, table } from "./html.ts";

/** The environment of a measurement: machine, software, commit, disk and load. */
export function machineHtml(host: Fingerprint, run?: RunResult): string {
  const facts: [string, string][] = [
    ["Processor", `${hostName(host)}, ${host.memoryGib} GiB of memory`],
    ["Software", `Linux ${host.kernel}, Bun ${host.bun}, PostgreSQL ${host.postgres}`],
    ["Commit", `${host.commit}${changesText(host)}`],
    ["Cores", host.pins],
    ...(run
      ? [["Disk", diskText(run)] as [string, string], ["Load", loadText(run)] as [string, string]]
      : []),
    ["When", `${host.at.slice(0, 16).replace("T", " ")} UTC`],
  ];
  const list = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join("");
  return `<dl>${list}</dl>${calibrationHtml(host)}`;
}

const changesText = ({ isDirty, changed }: Fingerprint) =>
  isDirty ? `, with uncommitted changes${changed ? `: ${changed.join(", ")}` : ""}` : "";

/** The command that repeats the measurement; undefined for results that did not record it. */
export const commandText = ({ commit, command }: Fingerprint): string | undefined =>
  command && `git checkout ${commit}\n./irontrack bench ${command}`;

/** The disk, its measured speed and the state of the cache. */
export const diskText = ({ disk, isCold }: RunResult): string =>
  [
    disk.what,
    `${disk.fdatasync.perSecond.toFixed(0)} flushes per second`,
    ...(isCold ? ["cold start: small shared buffers, empty page cache"] : []),
  ].join("; ");

const loadText = ({ results }: RunResult) =>
  `${results[0]?.offeredPerSecond.toFixed(0) ?? 0} requests per second over 32 connections of a Unix socket, in ${results[0]?.runs.length ?? 0} runs of each operation${waveText(results)}`;

/** Begins with a comma; empty if no scenario had a wave of simultaneous requests. */
export const waveText = (results: RunResult["results"]): string =>
  results
    .filter(({ cameAtOnce }) => cameAtOnce)
    .map(
      ({ operation, cameAtOnce }) =>
        `, ${cameAtOnce} of the requests of ${operation} at once on separate connections`,
    )
    .join("");

/** The calibration of this processor, if there is one. */
function calibrationHtml({ cpu, cores }: Fingerprint): string {
  const host = listHosts()
    .map((id) => readHost(id))
    .find(
      (known) =>
        known.cpu.model === cpu && known.cpu.cores === cores && known.calibration.at !== null,
    );
  if (!host)
    return '<p class="dim">This processor is not calibrated (./irontrack bench calibrate).</p>';
  return folded(
    `Calibration of this machine type: bench/hosts/${host.id}.json`,
    calibrationTable(host),
  );
}

function calibrationTable({ calibration: { kernels, fdatasync, randomReads } }: HostFile): string {
  const waits = {
    "fdatasync, queue depth 1": fdatasync,
    "random read, queue depth 1": randomReads.qd1,
    "random read, queue depth 8": randomReads.qd8,
  };
  const rows = [
    ...Object.entries(kernels).map(([name, kernel]) => [
      name,
      figure(kernel?.medianMs),
      figure(kernel?.minMs),
      "–",
    ]),
    ...Object.entries(waits).map(([name, wait]) => [
      name,
      figure(wait?.medianMs),
      "–",
      figure(wait?.perSecond),
    ]),
  ];
  return table(
    "CPU kernels on one core, and disk operations",
    ["", "median, ms", "min, ms", "per second"],
    rows,
  );
}
