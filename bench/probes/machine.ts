import { readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";
import { readText } from "../hosts/system-files.ts";

/**
 * Milliseconds since boot in which some task, or all tasks, waited for a resource, averaged over
 * CPUs.
 */
export type Pressure = { someMs: number; fullMs: number };

/**
 * Counters of a block device since boot; flushes are null before Linux 5.5, which does not count
 * them.
 */
export type DeviceCounts = {
  reads: number;
  readMs: number;
  writes: number;
  writeMs: number;
  busyMs: number;
  flushes: number | null;
  flushMs: number | null;
};

export type MachineUsage = {
  /** The total of all CPUs since boot. Unreliable (proc(5)); shown only for comparison. */
  ioWaitMs: number;
  stealMs: number;
  contextSwitches: number;
  /** Null if the kernel does not report it (psi=0). */
  pressure: Record<"cpu" | "io" | "memory", Pressure | null>;
  /** Null if the data is not on a block device of its own. */
  device: DeviceCounts | null;
};

/** Reads the machine's counters since boot; `device` is a name in /proc/diskstats. */
export function readMachine(device: string | null): MachineUsage {
  return {
    ...parseProcStat(readText("/proc/stat")),
    pressure: {
      cpu: parsePressure(readText("/proc/pressure/cpu")),
      io: parsePressure(readText("/proc/pressure/io")),
      memory: parsePressure(readText("/proc/pressure/memory")),
    },
    device: device === null ? null : parseDiskstats(readText("/proc/diskstats"), device),
  };
}

/** The name of the device that a directory is on; null if there is none (overlay, tmpfs). */
export function deviceOf(directory: string): string | null {
  const { dev } = statSync(directory);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  try {
    return basename(readlinkSync(`/sys/dev/block/${major}:${minor}`));
  } catch {
    return null;
  }
}

const TICK_MS = 10;

/** Parses the fifth and eighth figure of the first line, and the line ctxt (proc(5)). */
export function parseProcStat(
  text: string,
): Pick<MachineUsage, "ioWaitMs" | "stealMs" | "contextSwitches"> {
  const [, ...ticks] = (/^cpu .*$/m.exec(text)?.[0] ?? "").split(/ +/).map(Number);
  const contextSwitches = Number(/^ctxt (\d+)/m.exec(text)?.[1] ?? 0);
  return {
    ioWaitMs: (ticks[4] ?? 0) * TICK_MS,
    stealMs: (ticks[7] ?? 0) * TICK_MS,
    contextSwitches,
  };
}

/**
 * Parses a file of /proc/pressure, in µs (Linux Documentation/accounting/psi); null if it is empty.
 */
export function parsePressure(text: string): Pressure | null {
  const totalMs = (line: string) =>
    Number(new RegExp(`^${line} .*total=(\\d+)`, "m").exec(text)?.[1] ?? 0) / 1000;
  return text === "" ? null : { someMs: totalMs("some"), fullMs: totalMs("full") };
}

/**
 * Parses a device's line of /proc/diskstats (Linux Documentation/admin-guide/iostats); null if
 * there is none.
 */
export function parseDiskstats(text: string, device: string): DeviceCounts | null {
  const line = text.split("\n").find((each) => each.trim().split(/ +/)[2] === device);
  if (line === undefined) return null;
  const figures = line.trim().split(/ +/).slice(3).map(Number);
  const figure = (number: number) => figures[number - 1] as number;
  return {
    reads: figure(1),
    readMs: figure(4),
    writes: figure(5),
    writeMs: figure(8),
    busyMs: figure(10),
    flushes: figures[15] ?? null,
    flushMs: figures[16] ?? null,
  };
}
