import { spawnSync } from "node:child_process";

/** Mounts in the mount namespace of the rehearsal. Throws with the error output of mount. */
export function mount(args: string[]): void {
  const result = spawnSync("mount", args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`mount ${args.join(" ")}: ${result.stderr}`);
}
