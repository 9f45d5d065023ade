import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { OperatorError } from "#lib/errors.ts";
import { compile } from "./compile.ts";

/** Operations a second, and how long each takes. */
export type Waits = { perSecond: number; medianMs: number; p99Ms: number };

const MIB = 2 ** 20;

/** Real-time priority where allowed, so that waiting for a CPU is not measured. */
const REAL_TIME_PRIORITY =
  process.getuid?.() === 0 && Bun.which("chrt") ? ["chrt", "--fifo", "1"] : [];

/** Writes and flushes one page of a temporary file at `path` repeatedly, under `environment`. */
export function probeFlushes(
  path: string,
  seconds: number,
  environment: Record<string, string> = {},
): Waits {
  return withFile(path, 1, () => probe(["flush", path, String(seconds)], environment));
}

/** Reads random pages of a device or a file, `depth` at a time, bypassing the page cache. */
export function probeReads(path: string, seconds: number, depth: number): Waits {
  return probe(["read", path, String(seconds), String(depth)]);
}

/** Runs `work` with a file that is written to the disk and removed afterwards. */
export function withFile<T>(path: string, mib: number, work: () => T): T {
  const file = openSync(path, "w", 0o600);
  const chunk = Buffer.alloc(MIB, 1);
  for (let at = 0; at < mib; at++) writeSync(file, chunk);
  fsyncSync(file);
  closeSync(file);
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function probe(args: string[], environment: Record<string, string> = {}): Waits {
  const [command = "", ...rest] = [...REAL_TIME_PRIORITY, compile("probe.c", "program"), ...args];
  const result = spawnSync(command, rest, {
    env: { ...process.env, ...environment },
    maxBuffer: 256 * MIB,
  });
  if (result.status !== 0)
    throw new OperatorError(`the disk could not be probed: ${result.stderr}`);
  const words = new BigUint64Array(new Uint8Array(result.stdout).buffer);
  const [lastedNs = 1n, ...waitsNs] = words;
  const sorted = Float64Array.from(waitsNs, Number).sort();
  const ms = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0) / 1e6;
  return {
    perSecond: sorted.length / (Number(lastedNs) / 1e9),
    medianMs: ms(0.5),
    p99Ms: ms(0.99),
  };
}
