import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { retract, send } from "./watcher-client.ts";

/**
 * Makes a private directory that is removed after this process ends, however it ends. The caller
 * may remove it earlier.
 */
export function temporaryDirectory(name: string, parent = tmpdir()): string {
  const directory = join(parent, `irontrack-${name}-${randomBytes(5).toString("hex")}`);
  // Sent before the directory exists, so that the watcher always knows it.
  send(`directory ${directory}`);
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/**
 * Schedules a command to run after this process and its programs have ended, and before temporary
 * directories are removed. Returns a function that cancels it.
 */
export function runAtEnd(command: string[]): () => void {
  const line = `command ${JSON.stringify(command)}`;
  send(line);
  return () => retract(line, `cancel ${JSON.stringify(command)}`);
}
