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
  /** The host whose file is filled in; derived from the hardware by default. */
  id?: string;
  /** A directory on the disk to measure. */
  directory?: string;
  seconds: number;
  onStep(step: string): void;
};

/** The size of the file for random reads if the device itself is not readable. */
const FILE_MIB = 1024;

/**
 * Measures small operations of this machine's processor and disk for its file in bench/hosts; other
 * fields of the file are kept. The figures describe a machine and never convert times between
 * machines. Throws OperatorError if the file describes other hardware.
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

/** The existing host file, or a new one. */
function hostToFill(id: string, directory: string): Omit<HostFile, "calibration"> {
  const actual = { model: cpuModel(), cores: availableParallelism() };
  if (!hasHost(id)) {
    const { model, isRotational } = diskUnder(directory);
    const about = "Made by ./irontrack bench calibrate.";
    return { id, about, cpu: actual, disk: { model, isRotational, parameters: null }, pins: null };
  }
  const host = readHost(id);
  if (!isSameCpu(host.cpu.model, actual.model) || host.cpu.cores !== actual.cores) {
    const expected = `${host.cpu.model} with ${host.cpu.cores} cores`;
    throw new OperatorError(
      `${id} is ${expected}; this is ${actual.model} with ${actual.cores}`,
      2,
    );
  }
  return host;
}

/** Whether all words of a hand-written model name occur in the reported one. */
function isSameCpu(named: string, reported: string): boolean {
  const plain = (model: string) => model.replace(/\((R|TM)\)/gi, "").toLowerCase();
  return plain(named)
    .split(/\s+/)
    .every((word) => plain(reported).includes(word));
}

/** Devices are readable for root outside most containers. */
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
  const readsOf = (path: string): { qd1: Waits; qd8: Waits } => {
    onStep("random reads, one at a time");
    const qd1 = probeReads(path, seconds, 1);
    onStep("random reads, eight at a time");
    return { qd1, qd8: probeReads(path, seconds, 8) };
  };
  const { device } = diskUnder(directory);
  if (device !== undefined && isReadable(device))
    return { randomReads: readsOf(device), randomReadsOf: device };
  const file = join(directory, `irontrack-reads-${process.pid}`);
  onStep(`writing ${FILE_MIB} MiB to read`);
  return withFile(file, FILE_MIB, () => ({
    randomReads: readsOf(file),
    randomReadsOf: `a file of ${FILE_MIB} MiB`,
  }));
}
