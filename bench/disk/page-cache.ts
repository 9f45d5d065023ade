import { spawnSync } from "node:child_process";
import { OperatorError } from "#lib/errors.ts";

/**
 * Makes the kernel forget what it has read and written of the files below `directory`, so that the
 * next read is of the disk. Only of these files: other people's pages stay (drop_caches would hit
 * the whole machine), and root is not needed.
 */
export function forgetPages(directory: string): void {
  // dd with nocache and nothing to copy is posix_fadvise(DONTNEED) on the whole file (coreutils);
  // pages must be clean.
  const invalidate = `sync -f "$1" && find "$1" -type f -exec dd if={} iflag=nocache count=0 status=none ';'`;
  const done = spawnSync("sh", ["-c", invalidate, "sh", directory], { encoding: "utf8" });
  if (done.status !== 0)
    throw new OperatorError(`the page cache keeps ${directory}: ${done.stderr.trim()}`);
}
