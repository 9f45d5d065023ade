import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const tracked = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .stdout.trim()
  .split("\n");
const files = new Set(tracked);
const folders = new Set(
  tracked.flatMap((file) => file.split("/").map((_, i, parts) => parts.slice(0, i).join("/"))),
);
const names = new Set(tracked.map((file) => basename(file)));
const decisions = new Set(tracked.flatMap((file) => /^docs\/adr\/(\d{4})-/.exec(file)?.[1] ?? []));

/** All files with prose. Results of benches are data, and the catalog is content. */
const texts = tracked.filter(
  (file) =>
    /(\.(ts|sql|sh|c|conf|ini|ya?ml|service|timer|toml|md)|^irontrack|Dockerfile|\.env\.example|^\.ci\/[\w-]+)$/.test(
      file,
    ) && !/^(bench\/results|seeds\/catalog|node_modules)\/|references\.test\.ts$/.test(file),
);

/** Names in examples, generated files, and files of other versions. */
const IGNORED = [
  /^docs\/gone\//,
  /^gone\//,
  /\/gone\./,
  /^summary\.md$/,
  // The domain that CONTRIBUTING.md adds as an example.
  /\/body-weights[./]/,
  /^src\/\.\.\./,
  /^src\/cli\.ts$/,
];

/** The documents, files, decisions and sections that `text` refers to and the repository lacks. */
function missingReferences(text: string, from = ""): string[] {
  const missing: string[] = [];
  for (const [, list = ""] of text.matchAll(/\bADRs? ((?:\d{1,4}(?:, | and |–)?)+)/g)) {
    for (const number of list.match(/\d+/g) ?? []) {
      if (!decisions.has(number.padStart(4, "0"))) missing.push(`ADR ${number}`);
    }
  }
  for (const [path] of text.matchAll(/(?<![\w./*<-])[\w-][\w./-]*\.md\b/g))
    if (!exists(path, from)) missing.push(path);
  const paths = /(?<![\w./*<>-])(?:lib|src|db|bench|cli|docs|seeds|test|deploy|angie)\/[\w./-]*\w/g;
  for (const [path] of text.matchAll(paths)) {
    if (/\.(ts|sql|conf|ini|sh|c|service|timer|json|ya?ml)$/.test(path) && !exists(path, from))
      missing.push(path);
  }
  // A section must follow the name of a standard or publication.
  for (const { 0: section, index } of text.matchAll(/(?:[\w.]+,? )?§ ?\d[\d.]*/g)) {
    if (
      !/RFC \d+|ASVS|\b(?:19|20)\d\d\b/.test(
        text.slice(Math.max(0, index - 40), index + section.length),
      )
    )
      missing.push(section);
  }
  // Documents that a reader of the repository does not have.
  for (const [phrase] of text.matchAll(
    /\bthe (?:contract|original)\b(?! (?:one|name|order|error|file|text|data|plan|of|database))/g,
  ))
    missing.push(phrase);
  return missing.filter((reference) => !IGNORED.some((pattern) => pattern.test(reference)));
}

function exists(path: string, from: string): boolean {
  const clean = path.replace(/^\.\//, "");
  if (files.has(clean) || folders.has(clean)) return true;
  if (files.has(join(from, "..", clean))) return true;
  return !clean.includes("/") && names.has(clean);
}

test("every document, decision, file and section that the project refers to exists", () => {
  const missing = texts.flatMap((file) =>
    missingReferences(readFileSync(join(ROOT, file), "utf8"), file).map(
      (reference) => `${file}: ${reference}`,
    ),
  );
  expect(missing).toEqual([]);
});

test("a dangling reference is detected", () => {
  expect(
    missingReferences(
      "as PAPER.md says, see ADR 0999 and ADRs 1, 998 (docs/none.md), src/none/none.ts, NOTES §3",
    ),
  ).toEqual(["ADR 0999", "ADR 998", "PAPER.md", "docs/none.md", "src/none/none.ts", "NOTES §3"]);
  expect(
    missingReferences("README.md, ADR 2, ADRs 0002 and 0003, RFC 9110 §8.8.3.3, src/app/app.ts"),
  ).toEqual([]);
});
