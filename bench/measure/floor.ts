import { rmSync } from "node:fs";
import { join } from "node:path";
import { median } from "../figures/statistics.ts";
import { figuresOf } from "../load/recording.ts";
import { runSeveral } from "../load/runs.ts";
import { openProbes } from "../probes/probes.ts";
import { nothing } from "../probes/processes.ts";
import { startServer } from "../testbed/server-process.ts";
import { type TestBed, targetsOf } from "../testbed/testbed.ts";
import {
  costsOf,
  type Floor,
  type FloorPoint,
  floorPointOf,
  type Rest,
  restOf,
} from "./attribution.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const REST_MS = 3000;
/** A floor is the median of several: one of them may meet a neighbour. */
const TIMES = 3;
const SECONDS = 1.5;
const WARM_UP_S = { least: 2, most: 2 };

/**
 * What passing a request on takes on this machine, as busy as it is now: a bare server in the
 * application's place, at the rate of the scenarios, once without and once with a statement that
 * does nothing. Whatever of their responses is no CPU and no run queue is sockets, and the waking
 * of processors that sleep between requests. Also what the application and its backends use while
 * nobody asks.
 */
export async function measureFloor(
  testBed: TestBed,
  rate: number,
  connections: number,
): Promise<Floor> {
  const bare = await measurePoint(testBed, { rate, connections, database: [], besides: NOBODY });
  // The application has stood still for a while by now, and does no more of what it was asked
  // before.
  const rest = await measureRest(testBed);
  // A bare server's own timers are part of what it takes to pass a request on.
  const besides = { ...NOBODY, backends: rest.backends };
  const database = [testBed.databaseUrl];
  return {
    bare,
    withStatement: await measurePoint(testBed, { rate, connections, database, besides }),
    rest,
  };
}

const NOBODY: Rest = { server: nothing(), backends: nothing() };

/** What the application and its backends use while nobody asks. */
export async function measureRest(testBed: TestBed): Promise<Rest> {
  const probes = await openProbes(targetsOf(testBed));
  probes.start();
  await Bun.sleep(REST_MS);
  return restOf(await probes.stop());
}

type Point = { rate: number; connections: number; database: string[]; besides: Rest };

async function measurePoint(
  testBed: TestBed,
  { rate, connections, database, besides }: Point,
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
    for (let time = 0; time < TIMES; time++) {
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
        load: (durationMs, seed) => ({ model: "poisson", rate, durationMs, seed: seed + time }),
        ...{
          warmUpRate: rate,
          warmUpS: time === 0 ? WARM_UP_S : { least: 0, most: 0 },
          runs: 1,
          seconds: SECONDS,
        },
        onWarm: probes.start,
      });
      const record = await probes.stop();
      points.push(
        floorPointOf(
          figuresOf(runs.recording),
          costsOf(record, runs.sent, besides),
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
