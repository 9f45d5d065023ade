import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ClusterError } from "./postmaster.ts";

/** How to run PostgreSQL's programs, which refuse to run as root: a prefix and its user. */
export type RunAs = { prefix: string[]; uid?: number; gid?: number };

/** Paths of PostgreSQL's programs. */
export type Binaries = { postgres: string; initdb: string };

/**
 * Finds a way to run PostgreSQL's programs on `dataDir`: as the current user or, if that is root,
 * as `postgres` or `nobody`. Below a directory that only root may enter, they get the capability to
 * read it and no other. Throws ClusterError if there is no way.
 */
export function runAs(binaries: Binaries, dataDir: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const user = ["postgres", "nobody"].map(lookUpUser).find((entry) => entry !== undefined);
  if (!user)
    throw new ClusterError(
      "PostgreSQL refuses to run as root, and there is no user postgres or nobody",
    );
  makeExecutable(binaries);
  const parent = join(dataDir, "..");
  for (const prefix of prefixesFor(user))
    if (canRun(prefix, binaries, parent)) return { prefix, ...user };
  const advice = "move the checkout, run as another user, or set DATABASE_URL";
  if (Bun.which("setpriv") === null)
    throw new ClusterError(
      `PostgreSQL refuses to run as root, and there is no setpriv (package util-linux) to run it as another user: install it, ${advice}`,
    );
  throw new ClusterError(
    `PostgreSQL must run as an unprivileged user, which cannot reach ${parent} or ${binaries.postgres}, and this machine does not let root lend it the capability CAP_DAC_READ_SEARCH: ${advice}`,
  );
}

/** Command prefixes that run a program as `user`, the least privileged first. */
function prefixesFor({ uid, gid }: { uid: number; gid: number }): string[][] {
  const become = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  // initdb looks for `postgres` with access(2), which ignores the capabilities of a process that is
  // not root unless no_setuid_fixup is set.
  const read = [
    "--securebits=+no_setuid_fixup",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=+dac_read_search",
  ];
  // Without util-linux, coreutils can change the user but not grant a capability.
  return [become, [...become, ...read], ["chroot", `--userspec=${uid}:${gid}`, "--groups=", "/"]];
}

/** Whether the programs find each other and may enter `parent` when they run with `prefix`. */
function canRun(prefix: string[], { initdb }: Binaries, parent: string): boolean {
  // Before it shows its settings, initdb looks for `postgres` and runs it.
  const probes = [
    [initdb, "--show", "-D", join(parent, "none")],
    ["test", "-x", `${parent}/.`],
  ];
  return probes.every((probe) => {
    const [command = "", ...args] = [...prefix, ...probe];
    return spawnSync(command, args, { cwd: "/", stdio: "ignore" }).status === 0;
  });
}

/** Makes the programs executable for all users: a umask of 077 installs them for root only. */
function makeExecutable({ initdb, postgres }: Binaries) {
  for (const program of [initdb, postgres]) {
    if ((statSync(program).mode & 0o555) === 0o555) continue;
    try {
      chmodSync(program, 0o755);
    } catch {
      // A read-only installation. canRun tells whether the programs work as they are.
    }
  }
}

function lookUpUser(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/** Creates `dir` if absent, and makes it accessible to that user only. */
export function makePrivate(dir: string, run: RunAs) {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o700);
  if (run.uid !== undefined && run.gid !== undefined) chownSync(dir, run.uid, run.gid);
}
