import { rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { distributionOf, figuresOf } from "../load/recording.ts";
import { runLoad } from "../load/run.ts";
import { startServer } from "../testbed/server-process.ts";

/** Response times of a server that stalls for half a second in every two and a half. */
export type Stalls = { meanMs: number; p99Ms: number; failures: number; closedP99Ms?: number };

/**
 * Checks for coordinated omission. A fifth of the requests wait 0 to 500 ms, evenly distributed: a
 * correct measurement has a mean of 50 ms and a 99th percentile of 475 ms (95 % of 500).
 * `besideClosed` also measures a closed loop with as many connections, which delays its requests
 * and sees each stall once.
 */
export async function measureStalls({ besideClosed = false } = {}): Promise<Stalls> {
  const directory = temporaryDirectory("stall");
  const socketPath = join(directory, "stall.sock");
  const server = await startServer(
    ["bench/servers/stalling-server.ts", socketPath],
    socketPath,
    {},
  );
  try {
    const plan = {
      target: { unix: socketPath },
      requests: ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
      connections: 32,
    };
    const { recording } = await runLoad({
      ...plan,
      load: { model: "constant", rate: 500, durationMs: 10_000 },
    });
    const { responseMs, failures } = figuresOf(recording);
    const open = {
      meanMs: responseMs.mean,
      p99Ms: responseMs.percentiles[0.99] ?? Number.NaN,
      failures,
    };
    if (!besideClosed) return open;
    const closed = await runLoad({ ...plan, load: { model: "closed", durationMs: 10_000 } });
    const { sent, done } = closed.recording;
    const durations = distributionOf(
      Float64Array.from(sent, (ms, index) => (done[index] as number) - ms),
    );
    return { ...open, closedP99Ms: durations.percentiles[0.99] ?? Number.NaN };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
