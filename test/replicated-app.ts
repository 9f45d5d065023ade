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

/** Two processes of the application on a PostgreSQL with a replica. */
export type ReplicatedApp = ReplicatedPostgres & {
  /** PgBouncer between the processes and the replica, if requested. */
  pooler: SupervisedComponent<Pooler> | undefined;
  /** The same application without a replica. */
  api: Api;
  /** One of the processes, at random. */
  any(): ServingProcess;
  makePerson(): Promise<{ id: string; as: string }>;
  /** The replica reads of both processes by result, and how many processes use the replica. */
  reads(): Promise<ReplicaReads>;
  /** Returns the same once `condition` holds, or after 30 s. */
  waitForReads(condition: (reads: ReplicaReads) => boolean): Promise<ReplicaReads>;
};

const SILENT = { log: openLog(testConfig()).log, onUp: () => {} };

type ReplicaReads = {
  answered: number;
  behind: number;
  busy: number;
  failed: number;
  used: number;
};

/** With `pooled`, a supervised PgBouncer is in front of the replica. */
export async function startReplicatedApp({ pooled = false } = {}): Promise<ReplicatedApp> {
  const replicated = await startReplicatedPostgres();
  const pooler = pooled
    ? await superviseComponent("PgBouncer", replicated.startReplicaPooler, SILENT)
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
  const reads = async (): Promise<ReplicaReads> => {
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
    waitForReads: async (condition) => {
      for (let tries = 0; tries < 600 && !condition(await reads()); tries++) await Bun.sleep(50);
      return reads();
    },
    stop: async () => {
      processes.stop();
      await pooler?.stop();
      await replicated.stop();
    },
  };
}

/** Reads workouts and readiness continuously. The returned function stops and gives the statuses. */
export function keepReading(app: ReplicatedApp, people: { as: string }[]): () => Promise<number[]> {
  let isStopped = false;
  const statuses = new Set<number>();
  const loops = people.map(async ({ as }) => {
    while (!isStopped) {
      for (const path of ["/api/v1/workouts", "/health/ready"]) {
        const answer = await app.any().ask("GET", path, { as });
        await answer.text();
        statuses.add(answer.status);
      }
    }
  });
  return async () => {
    isStopped = true;
    await Promise.all(loops);
    return [...statuses];
  };
}

/** Pauses and resumes replay at random until the returned function is called. */
export function disturbReplay(
  { pauseReplay, resumeReplay }: ReplicatedPostgres,
  maxMs: number,
): () => Promise<void> {
  let isStopped = false;
  const disturbing = (async () => {
    while (!isStopped) {
      await pauseReplay();
      await Bun.sleep(Math.random() * maxMs);
      await resumeReplay();
      await Bun.sleep(Math.random() * maxMs);
    }
  })();
  return () => {
    isStopped = true;
    return disturbing;
  };
}
