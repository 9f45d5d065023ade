import { rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { intervalOf } from "../figures/interval.ts";
import type { Measured } from "../figures/table.ts";
import type { LoadModel } from "../load/generator.ts";
import { figuresOf } from "../load/recording.ts";
import { runLoad } from "../load/run.ts";
import { startServer } from "../testbed/server-process.ts";

/** What the generator must achieve on one core for its figures to be valid. */
const MIN_PER_SECOND = 100_000;
const MAX_LAG_P99_US = 1000;

const CLOSED_CONNECTIONS = 32;
/** Enough that a connection is always idle, so that only the generator can be late. */
const PACED_CONNECTIONS = 256;
const PACED_RATES = [100, 1000];

/**
 * Measures the generator on its core, over a Unix socket, against a trivial server on another:
 * requests per second in a closed loop of 32 connections, CPU per request (which gives the rate of a
 * whole core even if the core is shared), and how late it sends requests.
 */
export async function measureGenerator(
  runs: number,
  seconds: number,
  onStep: (step: string) => void,
): Promise<Measured> {
  const directory = temporaryDirectory("generator");
  const socketPath = join(directory, "bare.sock");
  const server = await startServer(["bench/servers/bare-server.ts", socketPath], socketPath, {});
  const run = (load: LoadModel, connections: number) =>
    runLoad({
      target: { unix: socketPath },
      requests: ["GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"],
      connections,
      load,
    });
  try {
    onStep("as fast as it can");
    const fast: { perSecond: number; cpuUs: number }[] = [];
    for (let nth = 0; nth < runs; nth++) {
      const load = { model: "closed", durationMs: seconds * 1000 } as const;
      const { recording, generatorCpuMs } = await run(load, CLOSED_CONNECTIONS);
      // The first half second compiles code. CPU includes starting the process.
      const cpuUs = (generatorCpuMs * 1000) / recording.due.length;
      fast.push({ perSecond: figuresOf(recording, 500).perSecond, cpuUs });
    }
    const perCore = intervalOf(fast.map(({ cpuUs }) => 1e6 / cpuUs));
    const figures = {
      perSecond: intervalOf(fast.map(({ perSecond }) => perSecond)),
      cpuUs: intervalOf(fast.map(({ cpuUs }) => cpuUs)),
      perSecondOfACore: perCore,
    };
    const rows: Measured["rows"] = [{ scenario: "closed loop", figures }];
    const doubts =
      perCore.mean < MIN_PER_SECOND ? ["a core makes fewer requests than 100,000 a second"] : [];
    for (const rate of PACED_RATES) {
      onStep(`${rate} a second`);
      const lags: { p50: number; p90: number; p99: number; cores: number }[] = [];
      for (let nth = 0; nth < runs; nth++) {
        // Enough requests for a 99th percentile, after a second that is discarded.
        const durationMs = 1000 + Math.max(seconds * 1000, 1_100_000 / rate);
        const { recording, generatorCpuMs } = await run(
          { model: "poisson", rate, durationMs, seed: nth + 1 },
          PACED_CONNECTIONS,
        );
        const { percentiles } = figuresOf(recording, 1000).sendLagMs;
        const us = (share: 0.5 | 0.9 | 0.99) => (percentiles[share] ?? Number.NaN) * 1000;
        lags.push({
          p50: us(0.5),
          p90: us(0.9),
          p99: us(0.99),
          cores: generatorCpuMs / durationMs,
        });
      }
      const intervalOver = (figure: (lag: (typeof lags)[number]) => number) =>
        intervalOf(lags.map(figure));
      const figures = {
        lagP50Us: intervalOver(({ p50 }) => p50),
        lagP90Us: intervalOver(({ p90 }) => p90),
        lagP99Us: intervalOver(({ p99 }) => p99),
        cores: intervalOver(({ cores }) => cores),
      };
      rows.push({ scenario: `${rate} a second`, figures });
      if (figures.lagP99Us.mean > MAX_LAG_P99_US)
        doubts.push(`at ${rate} a second it sent more than 1 ms late`);
    }
    const about = `The load generator on one core against a bare Bun.serve on another, over a Unix socket, ${runs} runs; 95 % of the mean of runs. Lag is from when a request was due until it was sent.`;
    return { about, rows, postgres: "not in the path", doubts };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
