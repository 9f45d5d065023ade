import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { version } from "../package.json" with { type: "json" };

/**
 * The version of package.json, the commit (null if unknown), and whether files differed from the
 * commit.
 */
export type BuildInfo = { version: string; commit: string | null; isDirty: boolean };

// `irontrack build` defines it, because an executable has no checkout.
declare const BUILT_FROM: { commit: string | null; isDirty: boolean } | undefined;

let known: BuildInfo | undefined;

/** The running build; in a checkout read from Git, once. */
export function buildInfo(): BuildInfo {
  known ??= { version, ...(typeof BUILT_FROM === "undefined" ? readCheckout() : BUILT_FROM) };
  return known;
}

/**
 * The build as one word, by semantic versioning: 0.1.0+0123456789ab, with .dirty behind it if files
 * differ.
 */
export function buildVersion({ version, commit, isDirty }: BuildInfo = buildInfo()): string {
  return commit === null ? version : `${version}+${commit.slice(0, 12)}${isDirty ? ".dirty" : ""}`;
}

/**
 * Which commit this checkout is at, and whether its files differ from it; null where there is no
 * repository.
 */
export function readCheckout(): { commit: string | null; isDirty: boolean } {
  const root = join(import.meta.dir, "..");
  // This directory's repository only: not one around it, nor the one that a Git hook's variables
  // name. It may belong to another user.
  const which = [
    `--git-dir=${join(root, ".git")}`,
    `--work-tree=${root}`,
    "-c",
    `safe.directory=${root}`,
  ];
  const git = (...args: string[]) =>
    spawnSync("git", [...which, "--no-optional-locks", ...args], { cwd: root, encoding: "utf8" });
  const head = git("rev-parse", "HEAD");
  if (head.status !== 0) return { commit: null, isDirty: false };
  return { commit: head.stdout.trim(), isDirty: git("status", "--porcelain").stdout !== "" };
}
