import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fingerprint } from "../hosts/fingerprint.ts";

/** Where results are kept. */
export const RESULTS = join(import.meta.dir, "../results");

/** Where a result is written unless said: named by its day, its commit and what it is. */
export const resultDirectory = (
  { at, commit }: Pick<Fingerprint, "at" | "commit">,
  name: string,
): string => join(RESULTS, `${at.slice(0, 10)}-${commit}-${name}`);

export type ResultOptions = {
  /** Where to write; a directory of `bench/results` unless said. */
  out?: string;
  isJson: boolean;
};

/**
 * Writes a result as run.json beside its summary, prints one of them, and returns the directory.
 */
export function writeResult(
  name: string,
  result: { host: Fingerprint },
  summary: string,
  { out, isJson }: ResultOptions,
): string {
  const directory = out ?? resultDirectory(result.host, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run.json"), `${JSON.stringify(result)}\n`);
  writeFileSync(join(directory, "summary.md"), summary);
  console.log(isJson ? JSON.stringify(result) : `${summary}\nWritten to ${directory}`);
  return directory;
}
