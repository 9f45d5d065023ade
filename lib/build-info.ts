import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { version } from "../package.json" with { type: "json" };

/** The version in package.json, the commit (null if unknown), and whether files differ from it. */
export type BuildInfo = { version: string; commit: string | null; isDirty: boolean };

// Defined by `irontrack build`, because the executable has no checkout.
declare const BUILT_FROM: { commit: string | null; isDirty: boolean } | undefined;

let cached: BuildInfo | undefined;

/** The running build. In a checkout it is read from Git once. */
export function buildInfo(): BuildInfo {
  cached ??= { version, ...(typeof BUILT_FROM === "undefined" ? readCheckout() : BUILT_FROM) };
  return cached;
}

/**
 * The build as a semantic version: 0.1.0+0123456789ab, or 0.1.0+0123456789ab.dirty if files differ
 * from the commit.
 */
export function buildVersion({ version, commit, isDirty }: BuildInfo = buildInfo()): string {
  return commit === null ? version : `${version}+${commit.slice(0, 12)}${isDirty ? ".dirty" : ""}`;
}

/** The commit of this checkout (null without a repository), and whether files differ from it. */
export function readCheckout(): { commit: string | null; isDirty: boolean } {
  const root = join(import.meta.dir, "..");
  // Use only the repository of this directory: neither an enclosing one nor the one in the variables
  // of a Git hook. It may belong to another user.
  const options = [
    `--git-dir=${join(root, ".git")}`,
    `--work-tree=${root}`,
    "-c",
    `safe.directory=${root}`,
  ];
  const git = (...args: string[]) =>
    spawnSync("git", [...options, "--no-optional-locks", ...args], { cwd: root, encoding: "utf8" });
  const head = git("rev-parse", "HEAD");
  if (head.status !== 0) return { commit: null, isDirty: false };
  return { commit: head.stdout.trim(), isDirty: git("status", "--porcelain").stdout !== "" };
}
