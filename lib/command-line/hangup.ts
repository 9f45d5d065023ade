import { readFileSync } from "node:fs";

/** SIGHUP, unless this process was started with it ignored (nohup), which a handler would undo. */
export function hangupUnlessIgnored(): "SIGHUP"[] {
  return isIgnored(1) ? [] : ["SIGHUP"];
}

/** According to SigIgn in proc(5); false where /proc is absent. */
function isIgnored(signal: number): boolean {
  try {
    const mask =
      /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
  } catch {
    return false;
  }
}
