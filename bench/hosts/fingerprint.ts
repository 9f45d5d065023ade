import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { describePins } from "./pinning.ts";

/** The machine, software and commit that something was measured on. */
export type Fingerprint = {
  cpu: string;
  cores: number;
  memoryGib: number;
  /** The cores of each role. */
  pins: string;
  kernel: string;
  bun: string;
  postgres: string;
  commit: string;
  isDirty: boolean;
  /** Files that differed from the commit; absent in older results. */
  changed?: string[];
  at: string;
  /** The arguments of the command without `--out`; absent in older results. */
  command?: string;
};

/** Paths that benches write to, which do not make the checkout dirty. */
const OUTPUT = ["bench/results"];
const MAX_CHANGED = 20;
const ROOT = join(import.meta.dir, "../..");

/**
 * The files of the checkout at `directory` that differ from its commit, except the output of
 * benches.
 */
export function changedFiles(directory: string): string[] {
  const exclude = OUTPUT.map((path) => `:(exclude)${path}`);
  const status = spawnSync(
    "git",
    ["status", "--porcelain", "--untracked-files=all", "--", ".", ...exclude],
    {
      cwd: directory,
      encoding: "utf8",
    },
  );
  // Each path follows two letters and a space.
  return status.stdout.split("\n").flatMap((line) => line.slice(3) || []);
}

export function fingerprint(postgres: string): Fingerprint {
  const git = (...args: string[]) =>
    spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout.trim();
  const changed = changedFiles(ROOT);
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    pins: describePins(),
    kernel: release(),
    bun: Bun.version,
    postgres,
    commit: git("rev-parse", "--short", "HEAD"),
    isDirty: changed.length > 0,
    ...(changed.length > 0 ? { changed: changed.slice(0, MAX_CHANGED) } : {}),
    at: new Date().toISOString(),
    command: commandLine(process.argv.slice(2)),
  };
}

function commandLine(words: string[]): string {
  const out = words.indexOf("--out");
  return (out === -1 ? words : words.toSpliced(out, 2))
    .map((word) => (/^[\w./=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

/** The name that groups results of one host. */
export const hostName = ({ cpu, cores }: Pick<Fingerprint, "cpu" | "cores">): string =>
  `${cpu}, ${cores} cores`;
