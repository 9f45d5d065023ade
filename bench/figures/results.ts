import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fingerprint } from "../hosts/fingerprint.ts";

export const RESULTS = join(import.meta.dir, "../results");

/** The default directory of a result, named by date, commit and `name`. */
export const resultDirectory = (
  { at, commit }: Pick<Fingerprint, "at" | "commit">,
  name: string,
): string => join(RESULTS, `${at.slice(0, 10)}-${commit}-${name}`);

export type ResultOptions = {
  /** The output directory; by default one in `bench/results`. */
  out?: string;
  isJson: boolean;
};

/** Writes run.json and summary.md, prints one of them, and returns their directory. */
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
