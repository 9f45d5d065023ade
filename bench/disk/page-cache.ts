import { spawnSync } from "node:child_process";
import { OperatorError } from "#lib/errors.ts";

/**
 * Evicts the files below `directory` from the page cache, so that the next read is from the disk.
 * Other files stay cached (drop_caches would affect the whole machine), and root is not needed.
 */
export function evictPages(directory: string): void {
  // dd with nocache and count=0 is posix_fadvise(DONTNEED) on the whole file (coreutils). Pages
  // must be clean.
  const invalidate = `sync -f "$1" && find "$1" -type f -exec dd if={} iflag=nocache count=0 status=none ';'`;
  const result = spawnSync("sh", ["-c", invalidate, "sh", directory], { encoding: "utf8" });
  if (result.status !== 0)
    throw new OperatorError(`the page cache still has ${directory}: ${result.stderr.trim()}`);
}
