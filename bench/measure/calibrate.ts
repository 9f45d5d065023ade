import { closeSync, openSync } from "node:fs";
import { availableParallelism, release, tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { probeFlushes, probeReads, type Waits, withFile } from "../disk/probe.ts";
import { cpuModel, diskUnder, governor, hostId, mitigations } from "../hosts/host-facts.ts";
import { type Calibration, type HostFile, hasHost, readHost } from "../hosts/hosts.ts";
import { pin } from "../hosts/pinning.ts";
import { runKernels } from "./kernels.ts";

export type CalibrateOptions = {
  /** The host's file to fill; made of the hardware unless said. */
  id?: string;
  /** On the disk to be measured. */
  directory?: string;
  seconds: number;
  onStep(step: string): void;
};

/** Of random reads, where the device itself cannot be read. */
const FILE_MIB = 1024;

/**
 * Measures what this machine's processor and disk take for a few small things, for its file in
 * bench/hosts: what is known there besides stays. The figures describe a machine; they never turn
 * one machine's times into another's. Throws OperatorError when the file is another machine's.
 */
export async function calibrate({
  id,
  directory = tmpdir(),
  seconds,
  onStep,
}: CalibrateOptions): Promise<HostFile> {
  const host = hostToFill(id ?? hostId(directory), directory);
  pin([process.pid], "server");
  const kernels = runKernels((name) => onStep(name));
  onStep("fdatasync");
  const fdatasync = probeFlushes(join(directory, `irontrack-probe-${process.pid}`), seconds);
  const reads = randomReads(directory, seconds, onStep);
  return {
    ...host,
    calibration: {
      at: new Date().toISOString(),
      kernel: release(),
      governor: governor(),
      mitigations: mitigations(),
      bun: Bun.version,
      kernels,
      fdatasync,
      ...reads,
    },
  };
}

/** The file that there is, or a new one. */
function hostToFill(id: string, directory: string): Omit<HostFile, "calibration"> {
  const here = { model: cpuModel(), cores: availableParallelism() };
  if (!hasHost(id)) {
    const { model, isRotational } = diskUnder(directory);
    const about = "Made by ./irontrack bench calibrate.";
    return { id, about, cpu: here, disk: { model, isRotational, parameters: null }, pins: null };
  }
  const known = readHost(id);
  if (!isSameCpu(known.cpu.model, here.model) || known.cpu.cores !== here.cores) {
    const there = `${known.cpu.model} with ${known.cpu.cores} cores`;
    throw new OperatorError(`${id} is ${there}; this is ${here.model} with ${here.cores}`, 2);
  }
  return known;
}

/** Whether the words of a model as a person writes it are in the one that the machine reports. */
function isSameCpu(written: string, reported: string): boolean {
  const plain = (model: string) => model.replace(/\((R|TM)\)/gi, "").toLowerCase();
  return plain(written)
    .split(/\s+/)
    .every((word) => plain(reported).includes(word));
}

/** A device as root, outside of most containers. */
function isReadable(device: string): boolean {
  try {
    closeSync(openSync(device, "r"));
    return true;
  } catch {
    return false;
  }
}

function randomReads(
  directory: string,
  seconds: number,
  onStep: (step: string) => void,
): Pick<Calibration, "randomReads" | "randomReadsOf"> {
  const both = (path: string): { qd1: Waits; qd8: Waits } => {
    onStep("random reads, one at a time");
    const qd1 = probeReads(path, seconds, 1);
    onStep("random reads, eight at a time");
    return { qd1, qd8: probeReads(path, seconds, 8) };
  };
  const { device } = diskUnder(directory);
  if (device !== undefined && isReadable(device))
    return { randomReads: both(device), randomReadsOf: device };
  const file = join(directory, `irontrack-reads-${process.pid}`);
  onStep(`writing ${FILE_MIB} MiB to read`);
  return withFile(file, FILE_MIB, () => ({
    randomReads: both(file),
    randomReadsOf: `a file of ${FILE_MIB} MiB`,
  }));
}
