import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { describePins } from "./pinning.ts";

/** On what something was measured: without it a figure means nothing. */
export type Fingerprint = {
  cpu: string;
  cores: number;
  memoryGib: number;
  /** Who had which cores. */
  pins: string;
  kernel: string;
  bun: string;
  postgres: string;
  commit: string;
  isDirty: boolean;
  at: string;
  /** What was asked of `bun bench`, but for where it was to be written; absent in older results. */
  command?: string;
};

export function fingerprint(postgres: string): Fingerprint {
  const git = (...args: string[]) =>
    spawnSync("git", args, { cwd: join(import.meta.dir, "../.."), encoding: "utf8" }).stdout.trim();
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    pins: describePins(),
    kernel: release(),
    bun: Bun.version,
    postgres,
    commit: git("rev-parse", "--short", "HEAD"),
    isDirty: git("status", "--porcelain") !== "",
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

/** What figures of one host are kept together by. */
export const hostName = ({ cpu, cores }: Pick<Fingerprint, "cpu" | "cores">): string => `${cpu}, ${cores} cores`;
