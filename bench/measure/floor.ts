import { rmSync } from "node:fs";
import { join } from "node:path";
import { median } from "../figures/statistics.ts";
import { figuresOf } from "../load/recording.ts";
import { runSeveral } from "../load/runs.ts";
import { openProbes } from "../probes/probes.ts";
import { noUsage } from "../probes/processes.ts";
import { startServer } from "../testbed/server-process.ts";
import { type TestBed, targetsOf } from "../testbed/testbed.ts";
import { type Floor, type FloorPoint, floorPointOf } from "./attribution.ts";
import { costsOf, type IdleUsage, idleUsageOf } from "./request-costs.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const REST_MS = 3000;
/** Repetitions of a measurement; their median is less sensitive to other processes. */
const REPETITIONS = 3;
const SECONDS = 1.5;
const WARM_UP_S = { min: 2, max: 2 };

/**
 * Measures what passing a request on takes on this machine under its current load: a bare server in
 * the application's place, at the rate of the scenarios, once without and once with a trivial
 * statement. The part of its response times that is neither CPU nor run queue is spent in sockets
 * and in waking idle CPUs. Also measures the idle usage of the application and its backends.
 */
export async function measureFloor(
  testBed: TestBed,
  rate: number,
  connections: number,
): Promise<Floor> {
  const bare = await measurePoint(testBed, {
    rate,
    connections,
    database: [],
    idleUsage: NO_USAGE,
  });
  // By now the application has finished all work of earlier requests.
  const rest = await measureIdleUsage(testBed);
  // The bare server's own timers count as part of passing a request on.
  const idleUsage = { ...NO_USAGE, backends: rest.backends };
  const database = [testBed.databaseUrl];
  return {
    bare,
    withStatement: await measurePoint(testBed, { rate, connections, database, idleUsage }),
    rest,
  };
}

const NO_USAGE: IdleUsage = { server: noUsage(), backends: noUsage() };

/** Measures what the application and its backends use without requests. */
export async function measureIdleUsage(testBed: TestBed): Promise<IdleUsage> {
  const probes = await openProbes(targetsOf(testBed));
  probes.start();
  await Bun.sleep(REST_MS);
  return idleUsageOf(await probes.stop());
}

type Point = { rate: number; connections: number; database: string[]; idleUsage: IdleUsage };

async function measurePoint(
  testBed: TestBed,
  { rate, connections, database, idleUsage }: Point,
): Promise<FloorPoint> {
  const socketPath = join(testBed.databaseSocketDir, "..", "floor.sock");
  rmSync(socketPath, { force: true });
  const server = await startServer(
    ["bench/servers/floor-server.ts", socketPath, ...database],
    socketPath,
    {},
  );
  try {
    const points: FloorPoint[] = [];
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const probes = await openProbes({
        ...targetsOf(testBed),
        server: server.pid,
        serverSocketPath: socketPath,
      });
      const runs = await runSeveral({
        target: { unix: socketPath },
        requests: [REQUEST],
        startOf: () => 0,
        connections,
        load: (durationMs, seed) => ({
          model: "poisson",
          rate,
          durationMs,
          seed: seed + repetition,
        }),
        warmUpRate: rate,
        warmUpS: repetition === 0 ? WARM_UP_S : { min: 0, max: 0 },
        runs: 1,
        seconds: SECONDS,
        onWarm: probes.start,
      });
      const record = await probes.stop();
      points.push(
        floorPointOf(
          figuresOf(runs.recording),
          costsOf(record, runs.sent, idleUsage),
          database.length > 0,
        ),
      );
    }
    return {
      handOverMs: median(points.map(({ handOverMs }) => handOverMs)),
      wakes: median(points.map(({ wakes }) => wakes)),
    };
  } finally {
    await server.stop();
  }
}
