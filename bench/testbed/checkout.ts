import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { runAtEnd } from "#lib/processes/temporary.ts";

/** The code of one side, ready to run: a git ref in a worktree of its own, or this very tree. */
export type Checkout = {
  ref: string;
  commit: string;
  root: string;
  /** The script of the irontrack command, from the root: it has moved since the first versions. */
  program: string;
  remove(): void;
};

const ROOT = join(import.meta.dir, "../..");

/**
 * Checks `ref` out under `directory`, with the packages that its lockfile asks for; `.` is the tree
 * as it stands, not a copy of it: do not edit while it is measured. Throws OperatorError when git
 * knows no such commit.
 */
export function checkOut(ref: string, directory: string): Checkout {
  if (ref === ".")
    return {
      ref,
      commit: `${git("rev-parse", "--short", "HEAD")} and edits`,
      root: ROOT,
      program: programIn(ROOT),
      remove() {},
    };
  const commit = git("rev-parse", "--verify", "--quiet", "--short", `${ref}^{commit}`);
  if (commit === "") throw new OperatorError(`git knows no commit ${ref}`, 2);
  git("worktree", "add", "--force", "--detach", directory, commit);
  if (!existsSync(join(directory, "package.json")))
    throw new OperatorError(`git could not check ${ref} out`);
  providePackages(directory);
  const cancelRunAtEnd = runAtEnd([
    "/usr/bin/env",
    "git",
    "-C",
    ROOT,
    "worktree",
    "remove",
    "--force",
    directory,
  ]);
  const remove = () => {
    cancelRunAtEnd();
    git("worktree", "remove", "--force", directory);
    rmSync(directory, { recursive: true, force: true });
  };
  return { ref, commit, root: directory, program: programIn(directory), remove };
}

const programIn = (root: string) =>
  existsSync(join(root, "cli/main.ts")) ? "cli/main.ts" : "src/cli.ts";

/** How far a tree's database has come: the one with fewer migrations is the older. */
export function countMigrations({ root }: Checkout): number {
  return readdirSync(join(root, "db/migrations")).filter((name) => name.endsWith(".sql")).length;
}

export function git(...args: string[]): string {
  return spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
}

/**
 * Ours, where the lockfile is the same; else an installation, from Bun's cache where it has what is
 * asked for.
 */
function providePackages(root: string) {
  const isSame =
    readFileSync(join(root, "bun.lock"), "utf8") === readFileSync(join(ROOT, "bun.lock"), "utf8");
  if (isSame) return symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const done = spawnSync(process.execPath, ["install", "--frozen-lockfile"], {
    cwd: root,
    encoding: "utf8",
  });
  if (done.status !== 0)
    throw new OperatorError(`bun install failed in ${root}: ${done.stderr.slice(-300)}`);
}
