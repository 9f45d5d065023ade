import { spawnSync } from "node:child_process";

/** Mounts, in the mount namespace that the rehearsal runs in. Throws with what mount said. */
export function mount(args: string[]): void {
  const done = spawnSync("mount", args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`mount ${args.join(" ")}: ${done.stderr}`);
}
