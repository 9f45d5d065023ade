import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { version } from "../package.json" with { type: "json" };

/** What code runs: the version of package.json, and the commit with whether files differed from it; null if unknown. */
export type BuildInfo = { version: string; commit: string | null; isDirty: boolean };

// Put in place by `irontrack build`: an executable has no checkout to ask.
declare const BUILT_FROM: { commit: string | null; isDirty: boolean } | undefined;

let known: BuildInfo | undefined;

/** The build that runs. In a checkout Git is asked, once. */
export function buildInfo(): BuildInfo {
  known ??= { version, ...(typeof BUILT_FROM === "undefined" ? readCheckout() : BUILT_FROM) };
  return known;
}

/** The build as one word, by semantic versioning: 0.1.0+0123456789ab, with .dirty behind it if files differ. */
export function buildVersion({ version, commit, isDirty }: BuildInfo = buildInfo()): string {
  return commit === null ? version : `${version}+${commit.slice(0, 12)}${isDirty ? ".dirty" : ""}`;
}

/** Which commit this checkout is at, and whether its files differ from it; null where there is no repository. */
export function readCheckout(): { commit: string | null; isDirty: boolean } {
  const root = join(import.meta.dir, "..");
  // Not of a repository around this directory, nor the one that a hook's variables name; of one of another user's, too.
  const which = [`--git-dir=${join(root, ".git")}`, `--work-tree=${root}`, "-c", `safe.directory=${root}`];
  const git = (...args: string[]) =>
    spawnSync("git", [...which, "--no-optional-locks", ...args], { cwd: root, encoding: "utf8" });
  const head = git("rev-parse", "HEAD");
  if (head.status !== 0) return { commit: null, isDirty: false };
  return { commit: head.stdout.trim(), isDirty: git("status", "--porcelain").stdout !== "" };
}
