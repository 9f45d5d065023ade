import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProgram } from "#lib/processes/programs.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { pinned } from "../hosts/pinning.ts";
import { cpuNsOf } from "../probes/cpu-time.ts";
import type { LoadPlan } from "./generator.ts";
import type { Recording } from "./recording.ts";

/** A plan for the generator's process, with requests as text. */
export type PlanFile = Omit<LoadPlan, "requests"> & { requests: string[] };

export type LoadRun = { recording: Recording; generatorCpuMs: number };

/**
 * On two cores PostgreSQL shares the generator's: real-time priority lets the generator send on
 * time.
 */
const REAL_TIME_PRIORITY =
  process.getuid?.() === 0 && Bun.which("chrt") ? ["chrt", "--fifo", "1"] : [];

/**
 * Runs a load in its own process, on its own core where the machine allows it. Rejects if the
 * server cannot be reached.
 */
export async function runLoad(plan: PlanFile): Promise<LoadRun> {
  const directory = temporaryDirectory("load");
  try {
    writeFileSync(join(directory, "plan.json"), JSON.stringify(plan));
    const script = join(import.meta.dir, "load-process.ts");
    const command = [...pinned("load"), ...REAL_TIME_PRIORITY, process.execPath, script, directory];
    const { child, pid } = startProgram(command, { stdio: ["ignore", "inherit", "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    let cpuNs = 0;
    const watch = setInterval(() => {
      cpuNs = Math.max(cpuNs, cpuNsOf(pid));
    }, 100);
    const exitCode = await new Promise((resolve) => child.once("close", resolve));
    clearInterval(watch);
    if (exitCode !== 0) throw new Error(`The load generator failed:  ${stderr}`);
    return {
      recording: fromBytes(readFileSync(join(directory, "recording.bin"))),
      generatorCpuMs: cpuNs / 1e6,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Columns of due, sent and done as float64, body bytes as uint32, status and Retry-After as uint16:
 * 32 bytes a request.
 */
export function toBytes({
  due,
  sent,
  done,
  bodyBytes,
  status,
  retryAfterS,
}: Recording): Uint8Array {
  return Buffer.concat(
    [due, sent, done, bodyBytes, status, retryAfterS].map((column) =>
      Buffer.from(column.buffer, column.byteOffset, column.byteLength),
    ),
  );
}

const BYTES_PER_REQUEST = 32;

export function fromBytes(file: Buffer): Recording {
  const count = file.byteLength / BYTES_PER_REQUEST;
  const bytes = new Uint8Array(file).buffer;
  return {
    due: new Float64Array(bytes, 0, count),
    sent: new Float64Array(bytes, count * 8, count),
    done: new Float64Array(bytes, count * 16, count),
    bodyBytes: new Uint32Array(bytes, count * 24, count),
    status: new Uint16Array(bytes, count * 28, count),
    retryAfterS: new Uint16Array(bytes, count * 30, count),
  };
}
