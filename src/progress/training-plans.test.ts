import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Db, openPool, type Pool } from "#db/client.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { seedDemo } from "#seeds/demo.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { canPrepare } from "#test/transaction.ts";
import { listChanges } from "../sync/changes.queries.ts";
import { insertSet } from "../workouts/workout-sets.queries.ts";
import { listWorkouts } from "../workouts/workouts.queries.ts";
import { setRow } from "../workouts/workouts.service.ts";
import { listHistory } from "./history.queries.ts";
import { findRecordsJson } from "./records.queries.ts";
import { findStreaksJson } from "./streaks.queries.ts";
import { listVolumeJson } from "./volume.queries.ts";

let database: OwnDatabase;
let recordingPool: Pool;
let lastStatement = "";
beforeAll(async () => {
  database = await makeOwnDatabase();
  await seedCatalog(database.pool, readCatalog());
  await seedDemo(database.pool, { athletes: 60, years: 1, seed: 1, fast: true });
  await database.pool.sql`analyze`;
  recordingPool = openPool(database.url, {
    size: 1,
    prepare: canPrepare(),
    onStatement: (statement) => {
      lastStatement = statement;
    },
  });
}, 60_000);
afterAll(async () => {
  await recordingPool.close();
  await database.drop();
});

/** The generic plan, which connections keep, of the last statement that `run` sends. */
async function planOf(run: (db: Db) => Promise<unknown>): Promise<string> {
  await run(recordingPool);
  const rows = await database.pool.sql.unsafe(`explain (generic_plan) ${lastStatement}`);
  return rows.map((row) => row["QUERY PLAN"]).join("\n");
}

test("an athlete's frequent statements find training by an index, however much other users have", async () => {
  const [entry] = await database.pool.sql<
    { userId: string; exerciseId: string; workoutId: string; entryId: string }[]
  >`
    select user_id as "userId", exercise_id as "exerciseId", workout_id as "workoutId",
      workout_exercises.id as "entryId"
    from workouts
    join workout_exercises on workout_id = workouts.id
    where exercise_id is not null
    limit 1`;
  const { userId, exerciseId, workoutId, entryId } = entry as NonNullable<typeof entry>;
  const statements: Record<string, (db: Db) => Promise<unknown>> = {
    "logging a set": (db) =>
      insertSet(db, workoutId, entryId, setRow({}, 1, 1), { modes: ["reps"], max: 500 }),
    "list of workouts": (db) => listWorkouts(db, userId, {}, 21),
    "history of an exercise": (db) =>
      listHistory(db, userId, exerciseId, { formula: "epley", after: undefined }, 21),
    "records of an exercise": (db) => findRecordsJson(db, userId, exerciseId, "epley"),
    "weekly volume": (db) =>
      listVolumeJson(db, userId, { from: "2025-10-01", to: "2025-12-31", by: "week" }),
    streaks: (db) =>
      findStreaksJson(db, userId, { now: new Date(0), timeZone: undefined, perWeek: 1 }),
    changes: (db) => listChanges(db, userId, "0", 51),
  };
  for (const [name, run] of Object.entries(statements)) {
    const plan = await planOf(run);
    for (const table of ["workouts", "workout_exercises", "workout_sets", "changes"]) {
      expect(plan, name).not.toContain(`Seq Scan on ${table}`);
    }
    expect(plan, name).toMatch(
      /workouts_user_started_at_index|workouts_pkey|changes_user_place_unique/,
    );
  }
});
