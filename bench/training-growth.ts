import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { ensureDatabase, startCluster } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { seedDemo } from "#seeds/demo.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import type { Actor } from "#src/actor.ts";
import { listHistory } from "#src/progress/history.queries.ts";
import { findRecordsJson, listVolumeJson } from "#src/progress/progress.queries.ts";
import { logSet } from "#src/workouts/workout-sets.service.ts";
import { listWorkouts } from "#src/workouts/workouts.queries.ts";
import { startWorkout } from "#src/workouts/workouts.service.ts";
import { median } from "./statistics.ts";

const RUNS = 400;
/** Measured with few sets and with many: their own training is the same in both. */
const ATHLETES = 20;
/** A demo athlete logs about as many sets in a year. */
const SETS_A_YEAR = 3000;

/** p50 of what an athlete does all day with `few` sets in the tables and with `many`, other people's all the others. */
export async function benchTrainingGrowth(few: number, many: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-growth-"));
  const cluster = await startCluster(
    { dataDir: join(directory, "data"), socketDir: join(directory, "run"), logFile: join(directory, "postgres.log") },
    { durable: false, settings: { max_wal_size: "8GB" } },
  );
  try {
    await ensureDatabase(cluster, "growth");
    const db = openPool(cluster.url("growth"), { size: 4, prepare: true });
    await migrate(db);
    await seedCatalog(db, readCatalog());
    const before = await measureWith(db, cluster.url("growth"), few);
    const after = await measureWith(db, cluster.url("growth"), many);
    console.log(
      `p50 with ${after.sets} sets / with ${before.sets}, ${RUNS} runs each of ${ATHLETES} athletes, one connection`,
    );
    for (const [what, ms] of Object.entries(before.p50)) {
      const now = after.p50[what] as number;
      console.log(`${what.padEnd(32)} ${(now / ms).toFixed(2)}   (${now.toFixed(2)} / ${ms.toFixed(2)} ms)`);
    }
    await db.close();
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureWith(db: Pool, url: string, sets: number) {
  process.stderr.write(`inventing ${sets} sets\n`);
  const report = await seedDemo(db, { athletes: Math.ceil(sets / SETS_A_YEAR), years: 1, seed: 1, fast: true });
  process.stderr.write(
    `${report.sets} sets in ${report.seconds.toFixed(1)} s: ${Math.round(report.sets / report.seconds)} a second\n`,
  );
  await db.sql`vacuum analyze`;
  const [row] = await db.sql<{ sets: number }[]>`select count(*)::int as sets from workout_sets`;
  // A connection of its own: plans are as fresh as the statistics.
  const one = openPool(url, { size: 1, prepare: true });
  try {
    return { sets: row?.sets ?? 0, p50: await measure(one) };
  } finally {
    await one.close();
  }
}

/** Somebody who trains, what they do, and a workout that is under way. */
type Athlete = { actor: Actor; exerciseId: string; workoutId: string; workoutExerciseId: string };

async function findAthletes(db: Pool): Promise<Athlete[]> {
  const rows = await db.sql<{ id: string; email: string; exerciseId: string }[]>`
    select users.id, email, (
      select exercise_id from workouts join workout_exercises on workout_id = workouts.id
      where user_id = users.id and exercise_id is not null group by exercise_id order by count(*) desc, exercise_id limit 1
    ) as "exerciseId"
    from users where email like 'demo-%' order by email limit ${ATHLETES}`;
  const athletes: Athlete[] = [];
  for (const { id, email, exerciseId } of rows) {
    const actor: Actor = { loginId: id, userId: id, email, name: null, roleSlug: "application-access" };
    const exercises = [{ exerciseId, mode: "reps" as const }];
    const made = JSON.parse(await startWorkout(db, actor, { timeZone: "UTC", exercises }));
    athletes.push({ actor, exerciseId, workoutId: made.id, workoutExerciseId: made.exercises[0].id });
  }
  return athletes;
}

async function measure(db: Pool): Promise<Record<string, number>> {
  const athletes = await findAthletes(db);
  const always = async () => {};
  const set = { reps: 5, weight: 82.5, weightUnit: "kg" as const, rpe: 8 };
  const deeds: Record<string, (athlete: Athlete) => Promise<unknown>> = {
    "log a set": ({ actor, ...place }) => logSet(db, actor, place, set, always),
    "list 20 workouts": ({ actor }) => listWorkouts(db, actor.userId, {}, 21),
    "history of an exercise": ({ actor, exerciseId }) =>
      listHistory(db, actor.userId, exerciseId, { formula: "epley", after: undefined }, 21),
    "records of an exercise": ({ actor, exerciseId }) => findRecordsJson(db, actor.userId, exerciseId, "epley"),
    "weekly volume of a quarter": ({ actor }) =>
      listVolumeJson(db, actor.userId, { from: "2025-10-01", to: "2025-12-31", by: "week" }),
  };
  const p50: Record<string, number> = {};
  for (const [what, deed] of Object.entries(deeds)) {
    const times: number[] = [];
    for (let run = -50; run < RUNS; run++) {
      const athlete = athletes[(run + 50) % athletes.length] as Athlete;
      const started = performance.now();
      await deed(athlete);
      if (run >= 0) times.push(performance.now() - started);
    }
    p50[what] = median(times);
  }
  return p50;
}
