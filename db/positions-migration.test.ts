import { expect, test } from "bun:test";
import { makeDatabase } from "#test/own-database.ts";
import { openPool } from "./client.ts";
import { migrate, readMigrations } from "./migrate.ts";

const before = readMigrations().findLast(({ tag }) => tag < "0011")?.tag;

test("the migration keeps entries with duplicate or missing positions, and renumbers them in order", async () => {
  const database = await makeDatabase();
  const pool = openPool(database.url, { size: 1, prepare: false });
  try {
    await migrate(pool, before);
    const { sql } = pool;
    await sql`insert into roles (slug, name) values ('application-access', 'User')`;
    const [user] = await sql`
      insert into users (email, password_hash, role_id) select 'a@example.com', '', id from roles returning id`;
    const owner = user?.id as string;
    const idOf = async (rows: Promise<Record<string, unknown>[]>) => (await rows)[0]?.id as string;
    const makeWorkout = () =>
      idOf(
        sql`insert into workouts (user_id, status, started_at, time_zone) values (${owner}, 'in_progress', now(), 'UTC') returning id`,
      );
    const [mixed, full, right] = [await makeWorkout(), await makeWorkout(), await makeWorkout()];
    const addEntries = async (workout: string, positions: number[]) => {
      for (const position of positions) {
        await sql`insert into workout_exercises (workout_id, position, exercise_name, mode)
          values (${workout}, ${position}, 'Entry', 'reps')`;
      }
    };
    await addEntries(mixed, [1, 2, 2, 5]);
    await addEntries(full, [...Array.from({ length: 200 }, (_, n) => n + 1), 200]);
    await addEntries(right, [1, 2]);
    await sql`insert into workout_sets (workout_exercise_id, mode, position, reps)
      select id, 'reps', unnest(array[3, 3, 7]::smallint[]), 1 from workout_exercises where workout_id = ${mixed}`;
    const routine = await idOf(
      sql`insert into routines (owner_id, name) values (${owner}, 'R') returning id`,
    );
    await sql`insert into routine_exercises (routine_id, position, exercise_name, mode, sets)
      select ${routine}::uuid, unnest(array[4, 3, 9]::smallint[]), 'Entry', 'reps', 1`;
    const plan = await idOf(
      sql`insert into plans (owner_id, name) values (${owner}, 'P') returning id`,
    );
    await sql`insert into plan_routines (plan_id, routine_id, day, position)
      select ${plan}::uuid, ${routine}::uuid, 3, unnest(array[3, 2, 50]::smallint[])`;
    await migrate(pool);
    const positions = async (table: string, parent: string) => {
      const rows = await sql<{ positions: number[] }[]>`
        select array_agg(position order by position, id)::int[] as positions from ${sql(table)} group by ${sql(parent)} order by ${sql(parent)}`;
      return rows.map((row) => row.positions);
    };
    const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
    expect(await positions("workout_exercises", "workout_id")).toEqual([
      upTo(4),
      upTo(201),
      upTo(2),
    ]);
    expect(await positions("workout_sets", "workout_exercise_id")).toEqual(
      upTo(4).map(() => upTo(3)),
    );
    expect(await positions("routine_exercises", "routine_id")).toEqual([upTo(3)]);
    expect(await positions("plan_routines", "plan_id")).toEqual([upTo(3)]);
    const versions = await sql`select id, version > 1 as "isChanged" from workouts order by id`;
    expect(versions.map(({ isChanged }) => isChanged)).toEqual([true, true, false]);
    const doubled = sql`update workout_sets set position = 1`;
    await expect(doubled.execute()).rejects.toThrow("workout_sets_position_unique");
  } finally {
    await pool.close();
    await database.drop();
  }
}, 60_000);
