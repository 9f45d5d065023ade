import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";

/** The disk under a directory, as the kernel knows it. */
export type DiskFacts = {
  model: string;
  isRotational: boolean | null;
  /**
   * The whole disk, not a partition of it; undefined where there is no block device: in memory,
   * over a network.
   */
  device: string | undefined;
};

/**
 * Of this machine and the disk under `directory`: the same for the same hardware, readable, fit for
 * a file name.
 */
export function hostId(directory: string): string {
  return slug(`${cpuModel()} ${availableParallelism()} ${diskUnder(directory).model}`);
}

export const cpuModel = () => cpus()[0]?.model.trim() ?? "unknown";

/** Without what is the same for all of a vendor's processors. */
function slug(text: string): string {
  const told = text
    .replace(/\((R|TM|C)\)|\b(CPU|Processor|\w+-Core|@ [\d.]+GHz)\b/gi, " ")
    .replace(/@ [\d.]+GHz/gi, " ");
  return told
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80);
}

export function diskUnder(directory: string): DiskFacts {
  // st_dev as the kernel's userland takes it apart (makedev(3)).
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

/** The disk of a partition is the directory above it. */
function diskOf(path: string): string | undefined {
  try {
    const found = realpathSync(path);
    return readText(join(found, "partition")) === "" ? found : dirname(found);
  } catch {
    return undefined;
  }
}

/** "virtio" of vda, "xen" of xvda; else the name without its letter or number. */
function virtualModel(name: string): string {
  if (name.startsWith("vd")) return "virtio";
  if (name.startsWith("xvd")) return "xen";
  return name.replace(/\d+$/, "");
}

/**
 * How the clock is governed; "none" where the machine does not say, as in most virtual machines.
 */
export const governor = () =>
  readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") || "none";

/**
 * What slows this processor down for its faults, by fault; those that it does not have are left
 * out.
 */
export function mitigations(): Record<string, string> {
  const directory = "/sys/devices/system/cpu/vulnerabilities";
  const found = namesIn(directory).map((name) => [name, readText(join(directory, name))] as const);
  return Object.fromEntries(found.filter(([, says]) => says !== "" && says !== "Not affected"));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
