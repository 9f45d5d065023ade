import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { type Cluster, ensureDatabase } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { seedDemo } from "#seeds/demo.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { createPasswords } from "#src/access/passwords.ts";
import { readConfig } from "#src/config/config.ts";
import { PASSWORD, postJson, signIn } from "./accounts.ts";
import { SETTINGS, startApplicationOn } from "./applications.ts";
import type { ServerProcess } from "./server-process.ts";

const YEARS = 2;
/** Sets that a demo athlete logs in two years, on average. */
const SETS_EACH = 8450;

/** A signed-in athlete with a workout in progress. */
export type Athlete = { userId: string; cookie: string; workoutId: string; entryId: string };

/** The application on a database with the training of many athletes, some of them signed in. */
export type TrainingTestBed = {
  name: string;
  sets: number;
  url: string;
  db: Pool;
  server: ServerProcess;
  people: Athlete[];
  /** The exercise that all athletes train most. */
  exerciseId: string;
  close(): Promise<void>;
};

/**
 * Creates a database `name` with about `sets` sets of demo athletes, vacuumed like one in long use.
 */
export async function fillTrainingTestBed(
  cluster: Cluster,
  name: string,
  sets: number,
): Promise<void> {
  await ensureDatabase(cluster, name);
  const db = openPool(cluster.url(name), { size: 4, prepare: false });
  await migrate(db);
  await seedCatalog(db, readCatalog());
  const passwordHash = await createPasswords(readConfig({ ...SETTINGS })).hash(PASSWORD);
  const athletes = Math.max(1, Math.round(sets / SETS_EACH));
  const seeded = await seedDemo(db, { athletes, years: YEARS, seed: 1, passwordHash, fast: true });
  await db.sql`vacuum analyze`;
  await db.close();
  const perSecond = Math.round(seeded.sets / seeded.seconds);
  process.stderr.write(
    `${name}: ${seeded.sets} sets of ${athletes} athletes, ${perSecond} a second\n`,
  );
}

/**
 * Starts the application on a filled database, and signs in the first `count` athletes, the same in
 * every database.
 */
export async function openTrainingTestBed(
  cluster: Cluster,
  dir: string,
  name: string,
  count: number,
): Promise<TrainingTestBed> {
  const url = cluster.url(name);
  const db = openPool(url, { size: 1, prepare: true });
  const server = await startApplicationOn(url, join(dir, name));
  const [exercise] = await db.sql<{ id: string }[]>`
    select id from exercises where slug = 'barbell-bench-press' and owner_id is null`;
  const exerciseId = (exercise as { id: string }).id;
  const [row] = await db.sql<{ sets: string }[]>`select count(*) as sets from workout_sets`;
  const people: Athlete[] = [];
  for (let nth = 1; nth <= count; nth++)
    people.push(await makeAthlete(server.socketPath, nth, exerciseId));
  return {
    name,
    url,
    db,
    server,
    people,
    exerciseId,
    sets: Number(row?.sets),
    close: async () => {
      await server.stop();
      await db.close();
    },
  };
}

async function makeAthlete(unix: string, nth: number, exerciseId: string): Promise<Athlete> {
  const cookie = await signIn(unix, `demo-1-${nth}@example.com`);
  const newWorkout = {
    timeZone: "UTC",
    startedAt: "2026-01-05T12:00:00Z",
    exercises: [{ exerciseId, mode: "reps" }],
  };
  const answer = await postJson(unix, "/workouts", newWorkout, cookie);
  if (!answer.ok) throw new Error(`Starting a workout failed: ${await answer.text()}`);
  const workout = (await answer.json()) as { id: string; exercises: { id: string }[] };
  const me = await fetch("http://localhost/api/v1/access/me", { unix, headers: { cookie } });
  const { id } = (await me.json()) as { id: string };
  return { userId: id, cookie, workoutId: workout.id, entryId: workout.exercises[0]?.id ?? "" };
}
