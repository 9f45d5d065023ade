import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterError } from "./postmaster.ts";

/** How to run PostgreSQL's programs: as ourselves, or, since it refuses to run as root, as an unprivileged user. */
export type RunAs = { prefix: string[]; uid?: number; gid?: number };

/** Throws ClusterError when there is nobody as whom it can be. */
export function runAs(binary: string, dataDir: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const user = ["postgres", "nobody"].map(lookUpUser).find((found) => found !== undefined);
  if (!user) throw new ClusterError("PostgreSQL refuses to run as root, and there is no user postgres or nobody");
  const prefix = ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const parent = join(dataDir, "..");
  // ls looks with stat(2), as PostgreSQL does; access(2), behind `test -x`, disregards capabilities.
  const canReach = (how: string[]) =>
    spawnSync(how[0] as string, [...how.slice(1), "ls", "-d", binary, `${parent}/.`], { cwd: "/" }).status === 0;
  if (canReach(prefix)) return { prefix, ...user };
  // The checkout lies below a directory that only root may enter (/root, mktemp -d). Rather than open that to everyone,
  // PostgreSQL keeps the one capability that passes it.
  const passing = [...prefix, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  if (canReach(passing)) return { prefix: passing, ...user };
  throw new ClusterError(
    `PostgreSQL must run as an unprivileged user, which cannot reach ${parent}; move the checkout, run as another user, or set DATABASE_URL`,
  );
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
