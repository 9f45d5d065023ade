import { rmSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { createCatalogSearch } from "#src/exercises/catalog-search.rules.ts";
import { countFacets } from "#src/exercises/exercise-facets.queries.ts";
import { listDocuments } from "#src/exercises/exercise-list.queries.ts";
import { type ListCriteria, listSearchable } from "#src/exercises/matching-exercises.queries.ts";
import { median } from "../figures/statistics.ts";
import { inventExercises } from "../testbed/many-exercises.ts";

const RUNS = 300;
const WINDOW = { limit: 20, offset: 0 };

/**
 * Compares the median time of each read of exercises among `few` and `many` exercises of other
 * users, and prints the ratios.
 */
export async function benchGrowth(few: number, many: number): Promise<void> {
  const dir = temporaryDirectory("growth");
  const cluster = await startCluster(
    { dataDir: join(dir, "data"), socketDir: join(dir, "run"), logFile: join(dir, "postgres.log") },
    { durable: false },
  );
  try {
    await ensureDatabase(cluster, "growth");
    const db = openPool(cluster.url("growth"), { size: 1, prepare: true });
    await migrate(db);
    await seedCatalog(db, readCatalog());
    const owner = await inventExercises(db, few);
    const before = await measure(db, owner);
    process.stderr.write(`creating ${many} exercises\n`);
    await inventExercises(db, many - few);
    const after = await measure(db, owner);
    console.log(
      `p50 with ${many} exercises of other users / with ${few}, ${RUNS} runs each, one connection`,
    );
    for (const [name, ms] of Object.entries(before)) {
      console.log(`${name.padEnd(24)} ${((after[name] as number) / ms).toFixed(2)}`);
    }
    await db.close();
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(
  db: ReturnType<typeof openPool>,
  userId: string,
): Promise<Record<string, number>> {
  const everything: ListCriteria = { userId, search: null };
  const catalog = createCatalogSearch(await listSearchable(db));
  const terms = [catalog.termOf("squat")];
  const search = { terms, catalog: catalog.match(terms) };
  const reads: Record<string, () => Promise<unknown>> = {};
  for (const scope of ["system", "user", "all"] as const) {
    reads[`list, ${scope}`] = () => listDocuments(db, { ...everything, scope }, WINDOW);
    reads[`filtered list, ${scope}`] = () =>
      listDocuments(db, { ...everything, scope, equipment: [1] }, WINDOW);
    reads[`search, ${scope}`] = () => listDocuments(db, { ...everything, scope, search }, WINDOW);
    reads[`facets, ${scope}`] = () => countFacets(db, { ...everything, scope });
  }
  const p50: Record<string, number> = {};
  for (const [name, read] of Object.entries(reads)) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const started = performance.now();
      await read();
      times.push(performance.now() - started);
    }
    p50[name] = median(times);
  }
  return p50;
}
