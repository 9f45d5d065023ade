import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { escapeLike, instant } from "#db/fragments.ts";
import type { PageWindow } from "../http/page.ts";
import {
  canReadPlan,
  canReadRoutine,
  canWriteRoutine,
  isClient,
} from "../permissions/visibility.queries.ts";
import type { NewRoutineExercise } from "./routines.schemas.ts";

export type RoutineColumns = { name?: string; description?: string | null; sharing?: string };

/** The routine with its exercises in order, as JSON, if `userId` may read it. One statement. */
export async function findRoutineJson(
  { sql }: Db,
  userId: string,
  routineId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select ${routineJson(sql, userId)} as json from routines
    where routines.id = ${routineId} and ${canReadRoutine(sql, userId)}`;
  return row?.json;
}

/**
 * Whether `userId` may read the routine, and the plan too, in which it must stand, if one is given.
 */
export async function isReadableRoutine(
  { sql }: Db,
  userId: string,
  routineId: string,
  planId?: string,
): Promise<boolean> {
  const inPlan = planId
    ? sql`and exists (
        select from plan_routines join plans on plans.id = plan_id
        where routine_id = routines.id and plans.id = ${planId} and ${canReadPlan(sql, userId)})`
    : sql``;
  const rows =
    await sql`select from routines where id = ${routineId} and ${canReadRoutine(sql, userId)} ${inPlan}`;
  return rows.length > 0;
}

export type RoutineScope = {
  scope?: "own" | "shared" | "public" | "clients";
  searchString?: string;
};

/**
 * One page of summaries, by name, ties by id: one's own, those shared with one, everybody's public
 * ones, or one's clients'.
 */
export async function listRoutinesJson(
  { sql }: Db,
  userId: string,
  { scope = "own", searchString }: RoutineScope,
  { limit, offset }: PageWindow,
): Promise<{ items: string; total: number }> {
  const scopes = {
    own: sql`owner_id = ${userId}`,
    shared: sql`sharing = 'shared' and id in (select routine_id from grants where grantee_id = ${userId})`,
    public: sql`sharing = 'public'`,
    clients: isClient(sql, "routines.owner_id", userId, "write_plans"),
  };
  const searched = searchString
    ? sql`and search_form(name) like '%' || search_form(${escapeLike(searchString)}) || '%'`
    : sql``;
  const [page] = await sql<{ items: string; total: number }[]>`
    with matching as (select id, lower(name) as sort_key from routines where ${scopes[scope]} ${searched}),
    page as (select id, sort_key from matching order by sort_key, id limit ${limit} offset ${offset})
    select (select count(*) from matching)::int as total, (
      select coalesce(string_agg(row_to_json(shown)::text, ',' order by page.sort_key, page.id), '')
      from page join lateral (
        select ${routineFields(sql, userId)},
          (select count(*) from routine_exercises where routine_id = routines.id) as "exerciseCount"
        from routines where routines.id = page.id
      ) as shown on true
    ) as items`;
  return page as { items: string; total: number };
}

export type Entry = Omit<NewRoutineExercise, "exerciseId"> & {
  exerciseId: string | null;
  position: number;
};

/**
 * What became of a write: `missing` are exercises that the owner does not have; with any, nothing
 * was written.
 */
export type Written = { id: string | null; missing: string[] };

/**
 * Inserts a routine with its exercises, whose names are taken from them. Breaks
 * `routines_owner_name_unique` or `routines_pkey`. One statement.
 */
export async function insertRoutine(
  { sql }: Db,
  ownerId: string,
  routine: { id?: string; name: string; description?: string | null; sharing?: string },
  entries: Entry[],
): Promise<Written> {
  const [made] = await sql<Written[]>`
    with ${listed(sql, entries)}, ${missing(sql, sql`${ownerId}::uuid`)}, made as (
      insert into routines (id, owner_id, name, description, sharing)
      select coalesce(${routine.id ?? null}::uuid, uuidv7()), ${ownerId}::uuid, ${routine.name}, ${routine.description ?? null},
        ${routine.sharing ?? "private"}
      where not exists (select from missing) returning id
    ), written as (${insertEntries(sql, sql`(select id from made)`)})
    select (select id from made) as id, array(select exercise_id::text from missing) as missing`;
  return made as Written;
}

/**
 * Changes columns of a locked routine, and replaces its exercises when they are given. Its `id` is
 * null, with nothing in `missing`, when `userId` may not write it any more. One statement.
 */
export async function updateRoutine(
  { sql }: Db,
  userId: string,
  routine: { id: string; ownerId: string },
  columns: RoutineColumns,
  entries: Entry[] | undefined,
): Promise<Written> {
  const changed = sql`
    update routines set name = coalesce(${columns.name ?? null}, name),
      description = case when ${columns.description !== undefined} then ${columns.description ?? null} else description end,
      sharing = coalesce(${columns.sharing ?? null}, sharing), updated_at = clock_timestamp(), version = version + 1
    where id = ${routine.id} and ${canWriteRoutine(sql, userId)}`;
  if (!entries) {
    const { count } = await changed;
    return { id: count === 0 ? null : routine.id, missing: [] };
  }
  const [written] = await sql<Written[]>`
    with ${listed(sql, entries)}, ${missing(sql, sql`${routine.ownerId}::uuid`)}, changed as (
      ${changed} and not exists (select from missing) returning id
    ), gone as (
      delete from routine_exercises where routine_id in (select id from changed) and position > ${entries.length}
    ), written as (${insertEntries(sql, sql`(select id from changed)`)}
      on conflict (routine_id, position) do update set ${replacing(sql)})
    select (select id from changed) as id, array(select exercise_id::text from missing) as missing`;
  return written as Written;
}

/** Names of plans that use a routine, in no order. */
export async function listPlansWith({ sql }: Db, routineId: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct plans.name from plan_routines join plans on plans.id = plan_id where routine_id = ${routineId}`;
  return rows.map(({ name }) => name);
}

export async function deleteRoutine({ sql }: Db, routineId: string): Promise<void> {
  await sql`delete from routines where id = ${routineId}`;
}

const ENTRY_COLUMNS = `exercise_id, exercise_name, mode, sets, reps_min, reps_max, weight, weight_unit, time_s, distance_m, rpe, rir,
  rest_s, tempo, superset_group, notes`;

/** The given entries as rows, each with the name of its exercise where there is one. */
function listed(sql: Db["sql"], entries: Entry[]): Fragment {
  const rows = entries.map((entry) => ({
    position: entry.position,
    exercise_id: entry.exerciseId,
    exercise_name: entry.exerciseName ?? null,
    mode: entry.mode,
    sets: entry.sets,
    reps_min: entry.repsMin ?? null,
    reps_max: entry.repsMax ?? null,
    weight: entry.weight ?? null,
    weight_unit: entry.weightUnit ?? null,
    time_s: entry.timeS ?? null,
    distance_m: entry.distanceM ?? null,
    rpe: entry.rpe ?? null,
    rir: entry.rir ?? null,
    rest_s: entry.restS ?? null,
    tempo: entry.tempo ?? null,
    superset_group: entry.supersetGroup ?? null,
    notes: entry.notes ?? null,
  }));
  return sql`listed as (
    select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (
      position smallint, exercise_id uuid, exercise_name text, mode text, sets smallint, reps_min smallint,
      reps_max smallint, weight numeric, weight_unit text, time_s integer, distance_m integer, rpe numeric, rir smallint,
      rest_s integer, tempo text, superset_group smallint, notes text)
  )`;
}

/** Exercises that neither the catalog nor the owner has. */
const missing = (sql: Db["sql"], ownerId: Fragment): Fragment => sql`missing as (
  select distinct exercise_id from listed where exercise_id is not null and not exists (
    select from exercises
    where exercises.id = listed.exercise_id and (exercises.owner_id is null or exercises.owner_id = ${ownerId}))
)`;

const insertEntries = (sql: Db["sql"], routineId: Fragment): Fragment => sql`
  insert into routine_exercises (routine_id, position, ${sql.unsafe(ENTRY_COLUMNS)})
  select ${routineId}, listed.position, ${sql.unsafe(ENTRY_COLUMNS.replace("exercise_name", "coalesce(exercises.name, exercise_name)").replace(/\b(mode|notes)\b/g, "listed.$1"))}
  from listed left join exercises on exercises.id = listed.exercise_id
  where not exists (select from missing)`;

const replacing = (sql: Db["sql"]): Fragment =>
  sql.unsafe(
    ENTRY_COLUMNS.split(",")
      .map((column) => `${column.trim()} = excluded.${column.trim()}`)
      .join(", "),
  ) as unknown as Fragment;

const routineFields = (sql: Db["sql"], userId: string): Fragment => sql`
  routines.id, routines.owner_id as "ownerId",
  case when routines.owner_id = ${userId} then 'owner' when ${canWriteRoutine(sql, userId)} then 'write' else 'read' end as access,
  routines.name, routines.description, routines.sharing,
  ${instant(sql, "routines.created_at")} as "createdAt",
  ${instant(sql, "routines.updated_at")} as "updatedAt", routines.version`;

/**
 * The exercises of the row of `routines` in order; `exerciseId` is what is shown of which exercise
 * each is.
 */
export const routineExercisesJson = (sql: Db["sql"], exerciseId: Fragment): Fragment => sql`(
  select coalesce(json_agg(row_to_json(entry) order by entry.position), '[]') from (
    select id, position, ${exerciseId} as "exerciseId", exercise_name as "exerciseName", mode, sets,
      reps_min as "repsMin", reps_max as "repsMax", trim_scale(weight) as weight, weight_unit as "weightUnit",
      time_s as "timeS", distance_m as "distanceM", trim_scale(rpe) as rpe, rir, rest_s as "restS", tempo,
      superset_group as "supersetGroup", notes
    from routine_exercises where routine_id = routines.id
  ) as entry
)`;

/** A row of `routines` with its exercises as JSON, as `userId` is shown it. */
export const routineJson = (sql: Db["sql"], userId: string): Fragment => sql`(
  select row_to_json(shown)::text from (
    select ${routineFields(sql, userId)}, ${routineExercisesJson(sql, sql`exercise_id`)} as exercises
  ) as shown
)`;
