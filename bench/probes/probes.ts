import { join } from "node:path";
import { startProgram } from "#lib/processes/programs.ts";
import { pinned } from "../hosts/pinning.ts";
import type { PostgresCounts } from "./postgres-counters.ts";
import type { ProbeTargets, Sample } from "./sampler.ts";

export type ProbeRecord = {
  /** Four samples a second. Wait events of backends are sampled fifty times a second. */
  samples: Sample[];
  postgres: PostgresCounts;
  /**
   * Whether the kernel reports how long processes waited for block devices (kernel.task_delayacct),
   * which is off by default.
   */
  isBlockIoAccounted: boolean;
  /**
   * The share of one CPU that the sampler used. Its statements cost PostgreSQL about as much again.
   */
  ownCpuShare: number;
};

export type Probes = {
  /** Discards earlier samples. */
  start(): void;
  stop(): Promise<ProbeRecord>;
};

/** Starts the sampler in its own process on the load's cores. It samples from `start` on. */
export async function openProbes(targets: ProbeTargets): Promise<Probes> {
  const ready = Promise.withResolvers<void>();
  const over = Promise.withResolvers<ProbeRecord>();
  const script = join(import.meta.dir, "sampler-process.ts");
  const sampler = startProgram(
    [...pinned("load"), process.execPath, script, JSON.stringify(targets)],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    },
  );
  const { child } = sampler;
  child.on("message", (message) =>
    message === "ready" ? ready.resolve() : over.resolve(message as ProbeRecord),
  );
  void sampler.ended.then(({ code }) => {
    const ended = new Error(`The sampler exited with ${code}`);
    ready.reject(ended);
    over.reject(ended);
  });
  over.promise.catch(() => {});
  await ready.promise;
  return {
    start: () => child.send("start"),
    stop: async () => {
      child.send("stop");
      const record = await over.promise;
      await sampler.ended;
      return record;
    },
  };
}
