import { realpathSync, statSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { listNames, readText } from "./system-files.ts";

/** The disk of a directory, as the kernel describes it. */
export type DiskFacts = {
  model: string;
  isRotational: boolean | null;
  /**
   * The whole disk, not a partition; undefined without a block device, such as tmpfs or a network
   * file system.
   */
  device: string | undefined;
};

/**
 * An id of this machine and the disk of `directory`: stable for the same hardware, readable, and
 * valid in a file name.
 */
export function hostId(directory: string): string {
  return slug(`${cpuModel()} ${availableParallelism()} ${diskUnder(directory).model}`);
}

export const cpuModel = () => cpus()[0]?.model.trim() ?? "unknown";

/** Leaves out what all processors of a vendor have in common. */
function slug(text: string): string {
  const withoutBoilerplate = text
    .replace(/\((R|TM|C)\)|\b(CPU|Processor|\w+-Core|@ [\d.]+GHz)\b/gi, " ")
    .replace(/@ [\d.]+GHz/gi, " ");
  return withoutBoilerplate
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80);
}

export function diskUnder(directory: string): DiskFacts {
  // Splits st_dev as makedev(3) does.
  const { dev } = statSync(directory);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const block = diskOf(`/sys/dev/block/${major}:${minor}`);
  if (block === undefined)
    return { model: "no-block-device", isRotational: null, device: undefined };
  const name = block.split("/").at(-1) as string;
  const rotational = readText(join(block, "queue/rotational"));
  return {
    model: readText(join(block, "device/model")) || virtualModel(name),
    isRotational: rotational === "" ? null : rotational === "1",
    device: `/dev/${name}`,
  };
}

/** A partition's disk is its parent directory. */
function diskOf(path: string): string | undefined {
  try {
    const entries = realpathSync(path);
    return readText(join(entries, "partition")) === "" ? entries : dirname(entries);
  } catch {
    return undefined;
  }
}

/** "virtio" for vda, "xen" for xvda; else the name without its number. */
function virtualModel(name: string): string {
  if (name.startsWith("vd")) return "virtio";
  if (name.startsWith("xvd")) return "xen";
  return name.replace(/\d+$/, "");
}

/** The CPU frequency governor; "none" if the machine reports none, as most virtual machines. */
export const governor = () =>
  readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") || "none";

/** Mitigations of processor vulnerabilities by name, without those that do not affect it. */
export function mitigations(): Record<string, string> {
  const directory = "/sys/devices/system/cpu/vulnerabilities";
  const entries = listNames(directory).map(
    (name) => [name, readText(join(directory, name))] as const,
  );
  return Object.fromEntries(
    entries.filter(([, mitigation]) => mitigation !== "" && mitigation !== "Not affected"),
  );
}
