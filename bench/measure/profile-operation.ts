import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { arrivalsOf } from "../load/arrivals.ts";
import { maxRequestsOf, runSeveral } from "../load/runs.ts";
import { encodeRequest } from "../load/wire.ts";
import { type LoadScenario, PEOPLE, prepareRequests } from "../suites/scenario.ts";
import { makeFixtureSets } from "../testbed/fixtures.ts";
import { openTestBed } from "../testbed/testbed.ts";
import { between, type CpuProfile, parseProfile } from "./cpu-profile.ts";

export type ProfileOptions = { rate: number; seconds: number; onStep(step: string): void };

const CONNECTIONS = 32;
/** The default interval of 1 ms is longer than a request. */
const INTERVAL_US = 200;
const WARM_UP_S = { min: 5, max: 5 };

/**
 * Profiles the server's JavaScript under load of one operation, without startup and shutdown.
 * Profiling costs about a seventh more CPU, so its results are not measurements.
 */
export async function profileOperation(
  scenario: LoadScenario,
  options: ProfileOptions,
): Promise<CpuProfile> {
  const { rate, seconds, onStep } = options;
  const directory = temporaryDirectory("profile");
  try {
    onStep("starting the application");
    const command = [
      "--cpu-prof",
      `--cpu-prof-dir=${directory}`,
      `--cpu-prof-interval=${INTERVAL_US}`,
      "cli/main.ts",
      "serve",
    ];
    const testBed = await openTestBed({ command });
    let window: [fromMs: number, toMs: number] = [0, 0];
    try {
      const fixtureSets = await makeFixtureSets(testBed, scenario.people ?? PEOPLE);
      const requests = await prepareRequests(
        fixtureSets,
        scenario,
        maxRequestsOf(rate, WARM_UP_S.max, 1, seconds),
      );
      onStep(`${scenario.operation}: warm-up`);
      await runSeveral({
        target: { unix: testBed.server.socketPath },
        requests: requests.map(encodeRequest),
        connections: CONNECTIONS,
        load: (durationMs, seed) =>
          arrivalsOf({ model: "poisson", rate, toRate: rate, durationMs, seed }),
        warmUpRate: rate,
        warmUpS: WARM_UP_S,
        runs: 1,
        seconds,
        onWarm: () => {
          onStep(`${scenario.operation}: ${seconds.toFixed(0)} s`);
          window = [Date.now(), 0];
        },
      });
      window[1] = Date.now();
    } finally {
      // The server writes the profile when it exits.
      await testBed.close();
    }
    const [file] = readdirSync(directory);
    if (!file) throw new Error("The server wrote no profile");
    return between(parseProfile(readFileSync(join(directory, file), "utf8"), file), ...window);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
