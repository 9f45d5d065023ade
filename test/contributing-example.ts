import { readFileSync } from "node:fs";
import { join } from "node:path";

const text = readFileSync(join(import.meta.dir, "../CONTRIBUTING.md"), "utf8");
const example = text.slice(text.indexOf("## Adding a domain"), text.indexOf("## Finding a fault"));

/** The code blocks of the example, each with the file that is named before it. */
export function listBlocks(): { file: string; language: string; code: string }[] {
  let file = "";
  return [...example.matchAll(/^`([^`\n]+)`\n|^```(ts|diff)\n(.*?)^```/gms)].flatMap(
    ([, named, language, code = ""]) => {
      file = named ?? file;
      return language === undefined ? [] : [{ file, language, code }];
    },
  );
}

/** `source` with the added lines of a diff; its other lines have to be there once. */
export function patch(source: string, diff: string, file: string): string {
  const lines = diff.split("\n");
  const before = lines.filter((line) => !line.startsWith("+")).map((line) => line.slice(1));
  const after = lines.map((line) => line.slice(1));
  const parts = source.split(before.join("\n"));
  if (parts.length !== 2) throw new Error(`${file} has no single place for\n${diff}`);
  return parts.join(after.join("\n"));
}
