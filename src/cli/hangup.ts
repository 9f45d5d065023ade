import { readFileSync } from "node:fs";

/** SIGHUP, unless this process was started with it ignored (nohup): a handler would undo that. */
export function hangup(): "SIGHUP"[] {
  return isIgnored(1) ? [] : ["SIGHUP"];
}

/** By the mask in proc(5); false where there is no /proc. */
function isIgnored(signal: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
  } catch {
    return false;
  }
}
