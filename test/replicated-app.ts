import { join } from "node:path";
import type { Pooler } from "#deploy/topology/pooler.ts";
import {
  type SupervisedComponent,
  superviseComponent,
} from "#deploy/topology/supervised-component.ts";
import { createTokens } from "#src/access/tokens.ts";
import { operatorSocketPath } from "#src/app/operator-socket.ts";
import { openLog } from "#src/log/log.ts";
import { testConfig } from "./config.ts";
import { makeSignedIn } from "./fixtures.ts";
import { type Api, apiOn } from "./harness.ts";
import { openProcesses, type ServingProcess } from "./processes.ts";
import { type ReplicatedPostgres, startReplicatedPostgres } from "./replicated-postgres.ts";

/**
 * Two processes of the application on a PostgreSQL with a replica, and people who are signed in to
 * both.
 */
export type ReplicatedApp = ReplicatedPostgres & {
  /** Between the processes and the replica, when they were asked to be. */
  pooler: SupervisedComponent<Pooler> | undefined;
  /** The same application without a replica. */
  api: Api;
  /** One of the processes, at random. */
  any(): ServingProcess;
  makePerson(): Promise<{ id: string; as: string }>;
  /**
   * What came of asking the replica so far, in both processes, and in how many of them it is in
   * use.
   */
  reads(): Promise<ReadsSoFar>;
  /** The same once they are so, or after half a minute. */
  waitForReads(areSo: (reads: ReadsSoFar) => boolean): Promise<ReadsSoFar>;
};

const UNTOLD = { log: openLog(testConfig()).log, onUp: () => {} };

type ReadsSoFar = { answered: number; behind: number; busy: number; failed: number; used: number };

/** `pooled`: PgBouncer is in front of the replica, and kept up. */
export async function startReplicatedApp({ pooled = false } = {}): Promise<ReplicatedApp> {
  const replicated = await startReplicatedPostgres();
  const pooler = pooled
    ? await superviseComponent("PgBouncer", replicated.startReplicaPooler, UNTOLD)
    : undefined;
  const settings: Record<string, string> = pooler
    ? {
        DATABASE_REPLICA_URLS: pooler
          .current()
          .url(new URL(replicated.replicaUrl).pathname.slice(1)),
        DATABASE_PREPARE: String(pooler.current().canPrepare),
      }
    : { DATABASE_REPLICA_URLS: replicated.replicaUrl };
  const processes = await openProcesses(replicated.dir, replicated.primaryUrl);
  const names = ["one", "two"];
  const servers = await Promise.all(names.map((name) => processes.start(name, settings)));
  const api = await apiOn(replicated.primary, {
    deps: { tokens: createTokens(testConfig(), processes.keys) },
  });
  const scrape = async (name: string) => {
    const unix = operatorSocketPath(join(replicated.dir, `${name}.sock`));
    return (await fetch("http://localhost/metrics", { unix })).text();
  };
  const reads = async (): Promise<ReadsSoFar> => {
    const texts = await Promise.all(names.map(scrape));
    const sum = (series: string) =>
      texts
        .map((text) => Number(text.split(`\n${series} `)[1]?.split("\n")[0]))
        .reduce((a, b) => a + b);
    const of = (result: string) => sum(`irontrack_replica_reads_total{result="${result}"}`);
    return {
      answered: of("answered"),
      behind: of("behind"),
      busy: of("busy"),
      failed: of("failed"),
      used: sum("irontrack_replicas_used"),
    };
  };
  return {
    ...replicated,
    pooler,
    api,
    any: () => servers[Math.floor(Math.random() * servers.length)] as ServingProcess,
    makePerson: async () => {
      const { user, as } = await makeSignedIn(api);
      return { id: user.id, as };
    },
    reads,
    waitForReads: async (areSo) => {
      for (let tries = 0; tries < 600 && !areSo(await reads()); tries++) await Bun.sleep(50);
      return reads();
    },
    stop: async () => {
      processes.stop();
      await pooler?.stop();
      await replicated.stop();
    },
  };
}

/**
 * Reads people's workouts and readiness without a pause; the function that it returns ends it and
 * gives the statuses.
 */
export function keepReading(app: ReplicatedApp, people: { as: string }[]): () => Promise<number[]> {
  let isOver = false;
  const statuses = new Set<number>();
  const lanes = people.map(async ({ as }) => {
    while (!isOver) {
      for (const path of ["/api/v1/workouts", "/health/ready"]) {
        const answer = await app.any().ask("GET", path, { as });
        await answer.text();
        statuses.add(answer.status);
      }
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(lanes);
    return [...statuses];
  };
}

/** Pauses and resumes replay at random until the function that it returns is called. */
export function disturbReplay(
  { pauseReplay, resumeReplay }: ReplicatedPostgres,
  longestMs: number,
): () => Promise<void> {
  let isOver = false;
  const disturbing = (async () => {
    while (!isOver) {
      await pauseReplay();
      await Bun.sleep(Math.random() * longestMs);
      await resumeReplay();
      await Bun.sleep(Math.random() * longestMs);
    }
  })();
  return () => {
    isOver = true;
    return disturbing;
  };
}
