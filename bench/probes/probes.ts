import { join } from "node:path";
import { startProgram } from "#lib/processes/programs.ts";
import { pinned } from "../hosts/pinning.ts";
import type { PostgresCounts } from "./postgres-counters.ts";
import type { ProbeTargets, Sample } from "./sampler.ts";

export type ProbeRecord = {
  /** Every quarter of a second; what backends waited for was looked at fifty times a second. */
  samples: Sample[];
  postgres: PostgresCounts;
  /**
   * Whether the kernel says how long processes waited for block devices (kernel.task_delayacct); by
   * default it does not.
   */
  isBlockIoAccounted: boolean;
  /** What the sampler took of one processor; what it asks costs PostgreSQL about as much again. */
  ownCpuShare: number;
};

export type Probes = {
  /** What was sampled before is forgotten. */
  start(): void;
  stop(): Promise<ProbeRecord>;
};

/**
 * Starts the sampler in a process of its own, where it does not disturb the server; it waits to be
 * told when to begin.
 */
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
    const ended = new Error(`The sampler ended with ${code}`);
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
