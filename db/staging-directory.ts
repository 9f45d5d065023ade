import { mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";

/**
 * Makes a directory beside `destination` for content that is moved there when it is complete, and
 * removes those that killed processes left behind. Each has a unique name, because a program may
 * still be writing to the previous one after its parent was killed.
 */
export async function makeStagingDirectory(destination: string): Promise<string> {
  const parent = dirname(destination);
  const name = `unfinished-${basename(destination)}`;
  mkdirSync(parent, { recursive: true });
  const leftovers = readdirSync(parent).filter((entry) => entry.startsWith(`irontrack-${name}-`));
  // A directory that is still written to is removed later, by the watcher of that process.
  for (const leftover of leftovers)
    await rm(join(parent, leftover), { recursive: true, force: true }).catch(() => {});
  return temporaryDirectory(name, parent);
}
