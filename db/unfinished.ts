import { mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";

/**
 * Makes a directory beside `final`, for what is renamed to that when it is complete, and removes
 * those that killed processes left. Each has a name of its own, as a program whose parent was
 * killed may still be writing to the last one.
 */
export async function makeUnfinished(final: string): Promise<string> {
  const parent = dirname(final);
  const name = `unfinished-${basename(final)}`;
  mkdirSync(parent, { recursive: true });
  // What is still written to is removed by the watcher of that process.
  for (const left of readdirSync(parent).filter((entry) => entry.startsWith(`irontrack-${name}-`)))
    await rm(join(parent, left), { recursive: true, force: true }).catch(() => {});
  return temporaryDirectory(name, parent);
}
