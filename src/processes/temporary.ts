import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeBack, tell } from "./watched.ts";

/** Makes a directory of our own that is gone after this process, however it ends; its creator may remove it earlier. */
export function temporaryDirectory(name: string): string {
  const directory = join(tmpdir(), `irontrack-${name}-${randomBytes(5).toString("hex")}`);
  // Told first: there is no moment at which it exists and the watcher does not know it.
  tell(`directory ${directory}`);
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/**
 * Has a command run after this process and all of its programs have ended, before temporary directories are removed, unless
 * the function that it returns is called first.
 */
export function atTheEnd(command: string[]): () => void {
  const line = `command ${JSON.stringify(command)}`;
  tell(line);
  return () => takeBack(line, `forget ${JSON.stringify(command)}`);
}
