import { readdirSync, readFileSync } from "node:fs";

/** The trimmed text of a file, such as one of /proc or /sys; empty if it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

/** The names in a directory, sorted; empty if it cannot be read. */
export function listNames(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
