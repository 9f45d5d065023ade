import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { runAtEnd } from "#lib/processes/temporary.ts";

/** One version of the code, ready to run: a git ref in its own worktree, or this working tree. */
export type Checkout = {
  ref: string;
  commit: string;
  root: string;
  /** The script of the irontrack command relative to the root; older versions have it elsewhere. */
  program: string;
  remove(): void;
};

const ROOT = join(import.meta.dir, "../..");

/**
 * Checks `ref` out into `directory` and installs the packages of its lockfile. `.` is the working
 * tree itself, not a copy, so do not edit it during a measurement. Throws OperatorError if git does
 * not know the ref.
 */
export function checkOut(ref: string, directory: string): Checkout {
  if (ref === ".")
    return {
      ref,
      commit: `${git("rev-parse", "--short", "HEAD")} with changes`,
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
  const removal = ["git", "-C", ROOT, "worktree", "remove", "--force", directory];
  const cancelRunAtEnd = runAtEnd(["/usr/bin/env", ...removal]);
  const remove = () => {
    cancelRunAtEnd();
    git("worktree", "remove", "--force", directory);
    rmSync(directory, { recursive: true, force: true });
  };
  return { ref, commit, root: directory, program: programIn(directory), remove };
}

const programIn = (root: string) =>
  existsSync(join(root, "cli/main.ts")) ? "cli/main.ts" : "src/cli.ts";

/** The number of migrations; of two versions, the one with fewer has the older schema. */
export function countMigrations({ root }: Checkout): number {
  return readdirSync(join(root, "db/migrations")).filter((name) => name.endsWith(".sql")).length;
}

export function git(...args: string[]): string {
  return spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
}

/** Links this tree's packages if the lockfiles are equal; otherwise installs them. */
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
