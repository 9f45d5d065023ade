import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { cac } from "cac";
import { benchCommands } from "#bench/commands.ts";
import { OPERATIONS } from "#bench/compare/bare-comparison.ts";
import { registerCommands } from "#cli/commands.ts";
import { Settings } from "#src/config/settings.ts";
import { scripts } from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dir, "..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const tracked = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .stdout.trim()
  .split("\n");
const documents = tracked.filter((file) =>
  /^(README|CONTRIBUTING|docs\/(adr\/)?[\w-]+|bench\/README)\.md$/.test(file),
);
const topLevel = new Set(tracked.map((file) => file.split("/")[0] as string));
const fileNames = new Set(tracked.map((file) => basename(file)));

/** Files of PostgreSQL, and directories that a bench creates. */
const FOREIGN_FILES = ["pg_hba.conf", "postgresql.auto.conf", "bench/baselines/*"];
/** The domain that CONTRIBUTING.md adds as an example. */
const isExample = (path: string) => path.split(/[/.]/).includes("body-weights");

/** The code in a document: the lines of its blocks and its inline code, and the latter alone. */
function codeOf(text: string): { lines: string[]; words: string[] } {
  const blocks = [...text.matchAll(/^```[^\n]*\n(.*?)^```/gms)].map(([, block]) => block as string);
  const words = [...text.replaceAll(/^```.*?^```/gms, "").matchAll(/`([^`\n]+)`/g)].map(
    ([, word]) => word as string,
  );
  // A backslash at the end of a line continues it.
  return { lines: [...blocks.join("\n").replaceAll("\\\n", " ").split("\n"), ...words], words };
}

/** Whether inline code is a path in the repository without a file; globs and `<…>` match any. */
function isMissing(word: string): boolean {
  const path = word
    .replace(/^\.\//, "")
    .replace(/\/$/, "")
    .replaceAll(/<[^>]+>/g, "*");
  if (FOREIGN_FILES.includes(path) || isExample(path)) return false;
  if (!/^[\w.@*-]+(\/[\w.@*-]+)*$/.test(path)) return false;
  const looksLikeFile = /\.(ts|md|sh|sql|ini|conf|ya?ml|service|timer|tmpfiles)$/.test(path);
  if (!path.includes("/")) return looksLikeFile && !path.includes("*") && !fileNames.has(path);
  if (!topLevel.has(path.split("/")[0] as string)) return looksLikeFile;
  const glob = new Bun.Glob(path);
  return !tracked.some((file) => file.startsWith(`${path}/`) || file === path || glob.match(file));
}

test.each(documents)("%s names only files that exist", (document) => {
  const text = read(document);
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
    join(document, "..", link as string),
  );
  const linked = links.filter(
    (link) => !tracked.some((file) => file === link || file.startsWith(`${link}/`)),
  );
  expect({ links: linked, words: codeOf(text).words.filter(isMissing) }).toEqual({
    links: [],
    words: [],
  });
});

/** Names in camel case that belong to other programs. */
const FOREIGN_NAMES = ["pgBackRest"];
const sources = tracked
  .filter((file) => /\.(ts|sql|c)$/.test(file) && !file.startsWith("docs/"))
  .map(read)
  .join("\n");

test.each(documents)("%s names only identifiers that exist", (document) => {
  const identifiers = codeOf(read(document)).words.flatMap(
    (word) => word.match(/^[A-Za-z]+[a-z0-9][A-Z]\w*(?=$|[.(])/) ?? [],
  );
  expect(
    identifiers.filter((name) => !FOREIGN_NAMES.includes(name) && !sources.includes(name)),
  ).toEqual([]);
});

test("docs/security.md names only tests that exist", () => {
  const named = [...read("docs/security.md").matchAll(/`([\w/.-]+\.test\.ts)` "([^"]+?)…?"/g)];
  expect(named.length).toBeGreaterThan(4);
  const missing = named.filter(
    ([, file = "", name = ""]) => !tracked.includes(file) || !read(file).includes(`"${name}`),
  );
  expect(missing.map(([text]) => text)).toEqual([]);
});

const cli = cac("irontrack");
registerCommands(cli);
const bench = benchCommands("bench");
/** The options of each command; those of `bench` by names such as `bench run`. */
const optionsOf = new Map(
  [...cli.commands, ...bench.commands].map((command) => [
    bench.commands.includes(command) ? `bench ${command.name}`.trim() : command.name,
    [...command.options, ...bench.globalCommand.options].flatMap(({ rawName }) =>
      rawName.split(/[ ,]/),
    ),
  ]),
);

/** The program at the start of a command, and not the user, database or unit of that name. */
const INVOCATION =
  /(?:^|[&|;('"] *|sudo -u \w+ (?:--\S+ )*|env (?:\w+=\S+ +)+)(?:\.\/|\/usr\/local\/bin\/)?(?:irontrack(?:\.new)?|bun(?= bench)) ((?:bench )?[a-z][a-z:-]*)([^|&;<>#)\n]*)/g;

/** The commands and long options in a line that do not exist. */
function unknownIn(line: string): string[] {
  return [...line.matchAll(INVOCATION)].flatMap(([, name = "", rest = ""]) => {
    const isMeasured = name.startsWith("bench ") && name.slice(6) in OPERATIONS;
    const known = optionsOf.get(isMeasured ? "bench" : name);
    if (!known) return [`irontrack ${name}`];
    const given = [...rest.matchAll(/(?<= )--[a-z-]+/g)].map(([option]) => option);
    return given
      .filter((option) => option !== "--help" && !known.includes(option))
      .map((option) => `${name} ${option}`);
  });
}

test.each(documents)("%s names only commands and options that exist", (document) => {
  const { lines, words } = codeOf(read(document));
  const named = words
    .filter((word) => /^[a-z]+:[a-z-]+( |$)/.test(word))
    .map((word) => word.split(" ")[0] as string);
  expect([
    ...lines.flatMap(unknownIn),
    ...named.filter((name) => !optionsOf.has(name) && !(name in scripts)),
  ]).toEqual([]);
});

test("a missing file, command or option is detected", () => {
  expect(["src/gone.ts", "gone.test.ts", "gone/file.md", "docs/gone/"].map(isMissing)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(
    ["src/app/app.ts", "src/http/", "docs/adr/<n>.md", "/etc/passwd", "a b"].some(isMissing),
  ).toBe(false);
  expect(unknownIn("cd / && irontrack user:gone --json")).toEqual(["irontrack user:gone"]);
  expect(unknownIn("bun bench gone; ./irontrack bench me --pairs 3")).toEqual([
    "irontrack bench gone",
  ]);
  expect(unknownIn("bun bench counts --gone")).toEqual(["bench counts --gone"]);
  expect(unknownIn("./irontrack backup:create --gone --keep 3 # --comment")).toEqual([
    "backup:create --gone",
  ]);
});

test("docs/operations.md names only metrics and settings that exist", () => {
  const text = read("docs/operations.md");
  const metrics = new Set([...text.matchAll(/irontrack_[a-z_]+[a-z]/g)].map(([name]) => name));
  const documented = read("docs/metrics.md");
  // Names of databases and volumes.
  const otherNames = ["irontrack_before", "irontrack_restoring", "irontrack_postgres"];
  expect(
    [...metrics].filter(
      (name) => !documented.includes(`\`${name}\``) && !otherNames.includes(name),
    ),
  ).toEqual([]);
  const settings = [...text.matchAll(/^([A-Z][A-Z_]+)=/gm)].map(([, name]) =>
    (name as string).replace(/_FILE$/, ""),
  );
  expect(settings.length).toBeGreaterThan(5);
  expect(settings.filter((name) => !(name in Settings.properties))).toEqual([]);
});

test("docs/operations.md and docs/replicas.md quote log messages that exist", () => {
  const text = read("docs/operations.md") + read("docs/replicas.md");
  const quoted = [...text.matchAll(/`([a-z][a-z ]+)` in the log|\blog `([a-z ]+)`/g)];
  expect(quoted.length).toBeGreaterThan(4);
  const messages = quoted.map(([, before, after]) => before ?? after ?? "");
  expect(messages.filter((message) => !sources.includes(`"${message}`))).toEqual([]);
});

const hasSystemd = Bun.which("systemd-analyze") !== null;
if (!hasSystemd && !process.env.CI)
  console.warn(
    "SKIPPED: the systemd units are not verified, because systemd-analyze is not installed",
  );

test.skipIf(!hasSystemd && !process.env.CI)("the systemd units are valid and hardened", () => {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-units-"));
  try {
    const units = tracked.filter((file) => /^deploy\/systemd\/.*\.(service|timer)$/.test(file));
    // systemd-analyze checks that the program exists.
    for (const unit of units)
      writeFileSync(
        join(dir, basename(unit)),
        read(unit).replaceAll("/usr/local/bin/irontrack", "/bin/true"),
      );
    const paths = units.map((unit) => join(dir, basename(unit)));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", ...paths], {
      encoding: "utf8",
    });
    expect([verified.stdout + verified.stderr, verified.status]).toEqual(["", 0]);
    // An outage of another service may last any time; the application is restarted after it.
    expect(read("deploy/systemd/irontrack.service")).toMatch(/^StartLimitIntervalSec=0$/m);
    const rating = ["security", "--offline=true", "--threshold=15", join(dir, "irontrack.service")];
    expect(spawnSync("systemd-analyze", rating, { encoding: "utf8" }).status).toBe(0);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
