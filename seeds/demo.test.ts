import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Db } from "#db/client.ts";
import { createPasswords } from "#src/access/passwords.ts";
import { oneRepMax } from "#src/progress/one-rep-max.rules.ts";
import { testConfig } from "#test/config.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { seedCatalog } from "./catalog.ts";
import { type DemoOptions, seedDemo } from "./demo.ts";
import { readCatalog } from "./read-catalog.ts";

const OPTIONS: DemoOptions = { athletes: 3, years: 1, seed: 1 };

let first: OwnDatabase;
let second: OwnDatabase;

beforeAll(async () => {
  [first, second] = await Promise.all([makeOwnDatabase(), makeOwnDatabase()]);
  for (const { pool } of [first, second]) await seedCatalog(pool, readCatalog());
  await first.pool.sql`
    insert into users (email, password_hash, role_id) select 'someone@example.com', 'theirs', min(id) from roles`;
  await seedDemo(first.pool, OPTIONS);
});

afterAll(async () => {
  for (const database of [first, second]) await database.drop();
});

test("athletes train a realistic year", async () => {
  const athletes = await first.pool.sql<
    { name: string; workouts: number; sets: number; aborted: number }[]
  >`
    select users.name, count(distinct workouts.id)::int as workouts, count(workout_sets.id)::int as sets,
      count(distinct workouts.id) filter (where status = 'aborted')::int as aborted
    from users join workouts on user_id = users.id join workout_exercises on workout_id = workouts.id
    left join workout_sets on workout_exercise_id = workout_exercises.id
    where email like 'demo-1-%' group by users.id`;
  expect(athletes.length).toBe(3);
  for (const { name, workouts, sets, aborted } of athletes) {
    expect(name).toMatch(/^\w+ \w+$/);
    expect(workouts).toBeGreaterThan(90);
    expect(workouts).toBeLessThan(330);
    expect(aborted).toBeLessThan(workouts * 0.08);
    expect(sets / workouts).toBeGreaterThan(14);
    expect(sets / workouts).toBeLessThan(26);
  }
});

test("every workout ends after it starts, its sets are in between and in order, and none is in 2026", async () => {
  const [counts] = await first.pool.sql`
    select count(*) filter (where ended_at <= started_at)::int as backward,
      count(*) filter (where started_at >= '2026-01-02' or started_at < '2025-01-01' or ended_at > started_at + interval '4 hours')::int as odd,
      count(*) filter (where completed_at not between started_at and ended_at)::int as outside,
      count(*) filter (where completed_at < before)::int as jumbled,
      count(*) filter (where uuid_extract_version(set_id) <> 7 or abs(extract(epoch from uuid_extract_timestamp(set_id) - completed_at)) > 0.001)::int as misnamed
    from (
      select started_at, ended_at, completed_at, workout_sets.id as set_id,
        lag(completed_at) over (partition by workouts.id order by workout_exercises.position, workout_sets.position) as before
      from workouts join workout_exercises on workout_id = workouts.id
      join workout_sets on workout_exercise_id = workout_exercises.id
    ) as done`;
  expect(counts).toEqual({ backward: 0, odd: 0, outside: 0, jumbled: 0, misnamed: 0 });
});

test("weights can be loaded and are exact in kilograms", async () => {
  const [counts] = await first.pool.sql`
    select count(*) filter (where mod(weight, case weight_unit when 'kg' then 2.5 else 5 end) <> 0)::int as odd,
      count(*) filter (where weight_kg <> round(weight * case weight_unit when 'kg' then 1 else 0.45359237 end, 4))::int as inexact,
      count(distinct type)::int as types, count(distinct mode)::int as modes
    from workout_sets`;
  expect(counts).toEqual({ odd: 0, inexact: 0, types: 3, modes: 3 });
});

test("most lifts are stronger in the last quarter than in the first", async () => {
  const sets = await first.pool.sql<{ lift: string; quarter: number; kg: number; reps: number }[]>`
    select user_id || exercise_name as lift, extract(quarter from started_at)::int as quarter, weight_kg::float8 as kg, reps
    from workouts join workout_exercises on workout_id = workouts.id
    join workout_sets on workout_exercise_id = workout_exercises.id
    where type <> 'warmup' and weight_kg > 0 and reps between 1 and 12`;
  const best = new Map<string, number>();
  for (const { lift, quarter, kg, reps } of sets) {
    const key = `${lift} ${quarter}`;
    best.set(key, Math.max(best.get(key) ?? 0, oneRepMax("epley", kg, reps) ?? 0));
  }
  const lifts = [...new Set(sets.map(({ lift }) => lift))];
  const bestIn = (lift: string, quarter: number) => best.get(`${lift} ${quarter}`) ?? 0;
  const stronger = lifts.filter((lift) => bestIn(lift, 4) > bestIn(lift, 1));
  expect(lifts.length).toBeGreaterThan(20);
  expect(stronger.length / lifts.length).toBeGreaterThan(0.8);
});

test("routines are on the days of a plan, and workouts store their targets", async () => {
  const [counts] = await first.pool.sql`
    select (select count(*) from plans)::int as plans, (select count(distinct plan_id) from plan_routines)::int as filled,
      (select count(*) from workouts join plans on plans.id = plan_id join routines on routines.id = routine_id
       where plans.owner_id <> user_id or routines.owner_id <> user_id or routines.name <> routine_name)::int as strange,
      (select count(*) from workout_exercises join workouts on workouts.id = workout_id
       where routine_id is not null and (targets ->> 'sets')::int is distinct from (
         select sets from routine_exercises
         where routine_exercises.routine_id = workouts.routine_id and routine_exercises.position = workout_exercises.position
       ))::int as unlike`;
  expect(counts).toEqual({ plans: 3, filled: 3, strange: 0, unlike: 0 });
});

test("demo accounts have no usable password, and other accounts are not changed", async () => {
  const { sql } = first.pool;
  const [demo] = await sql<
    { hash: string }[]
  >`select password_hash as hash from users where email = 'demo-1-1@example.com'`;
  const { matches } = createPasswords(testConfig());
  for (const guess of ["", "demo", "nobody signs in"])
    expect(await matches(guess, demo?.hash)).toBe(false);
  const others = await sql`
    select email, password_hash, version, (select count(*) from workouts where user_id = users.id)::int as workouts
    from users where email not like 'demo-%'`;
  expect([...others]).toEqual([
    { email: "someone@example.com", password_hash: "theirs", version: 1, workouts: 0 },
  ]);
});

test("every database gets the same athletes with the same ids, with and without --fast, and only once", async () => {
  const { pool } = second;
  const counted = await seedDemo(pool, { ...OPTIONS, dryRun: true });
  expect(await checksums(pool)).toMatchObject({ users: { rows: 0 }, workout_sets: { rows: 0 } });
  const added = await seedDemo(pool, { ...OPTIONS, fast: true });
  expect({ ...counted, seconds: 0 }).toEqual({ ...added, seconds: 0 });
  expect(await checksums(pool)).toEqual(await checksums(first.pool));
  const again = await seedDemo(pool, OPTIONS);
  expect(again).toMatchObject({ athletes: 0, existing: 3, workouts: 0, sets: 0 });
  expect(await checksums(pool)).toEqual(await checksums(first.pool));
  const more = await seedDemo(pool, { ...OPTIONS, athletes: 4 });
  expect(more).toMatchObject({ athletes: 1, existing: 3 });
  const [role] = await pool.sql`show session_replication_role`;
  expect(role).toEqual({ session_replication_role: "origin" });
});

test("nothing is added without the catalog", async () => {
  const bare = await makeOwnDatabase();
  try {
    const failure = await seedDemo(bare.pool, OPTIONS).catch((error) => error);
    expect(failure.message).toContain("run `irontrack seed` first");
    expect(await checksums(bare.pool)).toMatchObject({ users: { rows: 0 } });
  } finally {
    await bare.drop();
  }
});

/**
 * The number of rows of demo athletes per table, and a hash of their content without ids of
 * exercises and places of changes.
 */
async function checksums({ sql }: Db) {
  const sums: Record<string, { rows: number; sum: string | null }> = {};
  const tables = [
    "plans",
    "plan_routines",
    "routines",
    "routine_exercises",
    "workouts",
    "workout_exercises",
    "workout_sets",
  ];
  for (const table of [...tables, "changes", "users"]) {
    const demo = table === "users" ? sql`where email like 'demo-%'` : sql``;
    const [row] = await sql<{ rows: number; sum: string | null }[]>`
      select count(*)::int as rows, md5(string_agg(content, '' order by content)) as sum from (
        select (to_jsonb(listed) - 'exercise_id' - 'place')::text as content from ${sql(table)} as listed ${demo}
      ) as contents`;
    sums[table] = row as { rows: number; sum: string | null };
  }
  return sums;
}
