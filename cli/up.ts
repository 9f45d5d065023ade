import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { migrate } from "#db/migrate.ts";
import { buildVersion } from "#lib/build-info.ts";
import { createProgress } from "#lib/command-line/progress.ts";
import { openHome } from "#lib/home.ts";
import { isCatalogEmpty, seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { type Database, openDatabase } from "#src/app/database.ts";
import { listen } from "#src/app/server.ts";
import { openServices } from "#src/app/services.ts";
import type { Config } from "#src/config/config.ts";
import { openLog } from "#src/log/log.ts";
import { stopSignal } from "./stop-signal.ts";

/**
 * Serves until SIGINT or SIGTERM on DATABASE_URL, by default on an embedded PostgreSQL. Migrates the
 * database, and seeds the catalog if it is empty.
 */
export async function up(config: Config): Promise<void> {
  const progress = createProgress();
  const stop = stopSignal({ atHangup: true });
  const home = openHome(config.IRONTRACK_HOME);
  const { log, requestLog, flush } = openLog(config);
  const database = await stop.endsWhile(
    openDatabase(config, home, {
      step: progress.step,
      down: (reason) => log.error({ reason }, "PostgreSQL is down and is restarted"),
    }),
  );
  try {
    const preparation = await stop.endsWhile(prepare(database, progress.step));
    progress.step("starting the application");
    const services = await openServices(config, database, home.keyFile, { log, requestLog });
    try {
      const listening = await listen(
        config,
        services,
        config.SOCKET_PATH ?? join(home.runDir, "irontrack.sock"),
      );
      progress.done();
      console.error(greeting(config, database, preparation, listening.url, listening.socketPath));
      await stop.asked;
      progress.step("stopping");
      await listening.stop();
    } finally {
      await services.close();
    }
  } finally {
    await database.close();
    await flush();
    progress.done();
  }
}

type Preparation = {
  migrated: string[];
  seeded: number;
  /** Rows of the catalog that differ from the files, except those that administrators changed. */
  outdated: number;
};

async function prepare(database: Database, step: (what: string) => void): Promise<Preparation> {
  const db = openPool(database.direct, { size: 1, prepare: false });
  try {
    const migrated = await migrate(db, undefined, (tag) => step(`applying migration ${tag}`));
    if (!(await isCatalogEmpty(db))) {
      step("comparing the exercise catalog with its files");
      const reports = await seedCatalog(db, readCatalog(), { dryRun: true });
      const outdated = reports.reduce(
        (sum, { added, changed, removed }) => sum + added + changed + removed,
        0,
      );
      return { migrated, seeded: 0, outdated };
    }
    step("seeding the exercise catalog");
    const reports = await seedCatalog(db, readCatalog());
    return {
      migrated,
      seeded: reports.find(({ part }) => part === "exercises")?.added ?? 0,
      outdated: 0,
    };
  } finally {
    await db.close();
  }
}

function greeting(
  config: Config,
  database: Database,
  preparation: Preparation,
  url: string | undefined,
  socketPath: string,
): string {
  const facts = [
    `version      ${buildVersion()}`,
    `PostgreSQL   ${database.isEmbedded ? `embedded, data in ${config.IRONTRACK_HOME}/postgres` : "of DATABASE_URL"}`,
    ...(preparation.migrated.length > 0
      ? [`migrations   ${preparation.migrated.length} applied`]
      : []),
    ...(preparation.seeded > 0 ? [`exercises    ${preparation.seeded} seeded`] : []),
    ...(preparation.outdated > 0
      ? [
          `catalog      differences from its files: ${preparation.outdated}; apply them: ./irontrack seed`,
        ]
      : []),
    ...(url ? [`listening    ${url}  (reference: ${url}/docs)`] : []),
    `socket       ${socketPath}`,
  ];
  const over = url ? "" : `--unix-socket '${socketPath}' `;
  const api = `${url ?? "http://localhost"}/api/v1`;
  return `IronTrack is up.

  ${facts.join("\n  ")}

Try it: sign up, sign in, list exercises (Ctrl-C here stops everything).

  curl -sS -H 'content-type: application/json' ${over}${api}/access/signup \\
    -d '{"email":"ada@example.com","password":"correct horse battery","confirmPassword":"correct horse battery"}'
  curl -sS -c cookies.txt ${over}${api}/access/signin -d username=ada@example.com --data-urlencode 'password=correct horse battery'
  curl -sS -b cookies.txt ${over}'${api}/exercises?searchString=squat&pageSize=3'
`;
}
