import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ClusterError } from "./postmaster.ts";

/**
 * How to run PostgreSQL's programs: as ourselves, or, since it refuses to run as root, as an
 * unprivileged user.
 */
export type RunAs = { prefix: string[]; uid?: number; gid?: number };

/** PostgreSQL's own programs. */
export type Binaries = { postgres: string; initdb: string };

/**
 * Finds how PostgreSQL's programs can run on `dataDir`: as ourselves, or, if we are root, as the
 * user `postgres` or `nobody`. Below a directory that only root may enter they keep the capability
 * to pass it, and no other. Throws ClusterError if there is no way.
 */
export function runAs(binaries: Binaries, dataDir: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const user = ["postgres", "nobody"].map(lookUpUser).find((found) => found !== undefined);
  if (!user)
    throw new ClusterError(
      "PostgreSQL refuses to run as root, and there is no user postgres or nobody",
    );
  makeExecutable(binaries);
  const parent = join(dataDir, "..");
  for (const prefix of waysToBecome(user))
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

/** Commands that run another one as `user`, the one that grants the least first. */
function waysToBecome({ uid, gid }: { uid: number; gid: number }): string[][] {
  const become = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  // access(2) disregards every capability of a process that is not root, unless no_setuid_fixup is
  // set; initdb looks for `postgres` with it.
  const read = [
    "--securebits=+no_setuid_fixup",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=+dac_read_search",
  ];
  // Where util-linux is absent, coreutils can change the user too, but lend it nothing.
  return [become, [...become, ...read], ["chroot", `--userspec=${uid}:${gid}`, "--groups=", "/"]];
}

/**
 * Whether `prefix` leads to programs that find each other and their files, and that may enter
 * `parent`.
 */
function canRun(prefix: string[], { initdb }: Binaries, parent: string): boolean {
  // initdb itself looks for `postgres` and runs it before it shows its settings.
  const probes = [
    [initdb, "--show", "-D", join(parent, "none")],
    ["test", "-x", `${parent}/.`],
  ];
  return probes.every((probe) => {
    const [command = "", ...args] = [...prefix, ...probe];
    return spawnSync(command, args, { cwd: "/", stdio: "ignore" }).status === 0;
  });
}

/**
 * Installed with umask 077 they are root's alone, and no capability but that to write everywhere
 * makes up for it.
 */
function makeExecutable({ initdb, postgres }: Binaries) {
  for (const program of [initdb, postgres]) {
    if ((statSync(program).mode & 0o555) === 0o555) continue;
    try {
      chmodSync(program, 0o755);
    } catch {
      // A read-only installation: the programs are probed as they are.
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

/** A directory of that user's alone, made when absent. */
export function makePrivate(dir: string, run: RunAs) {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o700);
  if (run.uid !== undefined && run.gid !== undefined) chownSync(dir, run.uid, run.gid);
}
