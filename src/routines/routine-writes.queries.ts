import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { canWriteRoutine } from "../permissions/visibility.queries.ts";
import type { NewRoutineExercise } from "./routines.schemas.ts";

export type RoutineColumns = { name?: string; description?: string | null; sharing?: string };

export type RoutineEntry = Omit<NewRoutineExercise, "exerciseId"> & {
  exerciseId: string | null;
  position: number;
};

/**
 * The result of a write. `missing` are the exercises that the owner does not have; if there are
 * any, nothing was written and `id` is null.
 */
export type RoutineWrite = { id: string | null; missing: string[] };

/**
 * Inserts a routine with its exercises, and copies the exercises' names into it. Violates
 * `routines_owner_name_unique` or `routines_pkey`. One statement.
 */
export async function insertRoutine(
  { sql }: Db,
  ownerId: string,
  routine: { id?: string; name: string; description?: string | null; sharing?: string },
  entries: RoutineEntry[],
): Promise<RoutineWrite> {
  const [write] = await sql<RoutineWrite[]>`
    with ${entryRows(sql, entries)}, ${missing(sql, sql`${ownerId}::uuid`)}, inserted as (
      insert into routines (id, owner_id, name, description, sharing)
      select coalesce(${routine.id ?? null}::uuid, uuidv7()), ${ownerId}::uuid, ${routine.name},
        ${routine.description ?? null}, ${routine.sharing ?? "private"}
      where not exists (select from missing)
      returning id
    ), inserted_entries as (${insertEntries(sql, sql`(select id from inserted)`)})
    select (select id from inserted) as id,
      array(select exercise_id::text from missing) as missing`;
  return write as RoutineWrite;
}

/**
 * Updates `columns` of a locked routine and, if `entries` are given, replaces its exercises. If
 * `userId` may no longer write it, `id` is null and `missing` is empty. One statement.
 */
export async function updateRoutine(
  { sql }: Db,
  userId: string,
  routine: { id: string; ownerId: string },
  columns: RoutineColumns,
  entries: RoutineEntry[] | undefined,
): Promise<RoutineWrite> {
  const update = sql`
    update routines
    set name = coalesce(${columns.name ?? null}, name),
      description = case when ${columns.description !== undefined}
        then ${columns.description ?? null} else description end,
      sharing = coalesce(${columns.sharing ?? null}, sharing),
      updated_at = clock_timestamp(), version = version + 1
    where id = ${routine.id} and ${canWriteRoutine(sql, userId)}`;
  if (!entries) {
    const { count } = await update;
    return { id: count === 0 ? null : routine.id, missing: [] };
  }
  const [write] = await sql<RoutineWrite[]>`
    with ${entryRows(sql, entries)}, ${missing(sql, sql`${routine.ownerId}::uuid`)}, updated as (
      ${update} and not exists (select from missing)
      returning id
    ), deleted_entries as (
      delete from routine_exercises
      where routine_id in (select id from updated) and position > ${entries.length}
    ), upserted_entries as (
      ${insertEntries(sql, sql`(select id from updated)`)}
      on conflict (routine_id, position) do update set ${excludedColumns(sql)}
    )
    select (select id from updated) as id,
      array(select exercise_id::text from missing) as missing`;
  return write as RoutineWrite;
}

export async function deleteRoutine({ sql }: Db, routineId: string): Promise<void> {
  await sql`delete from routines where id = ${routineId}`;
}

const ENTRY_COLUMNS = `exercise_id, exercise_name, mode, sets, reps_min, reps_max,
  weight, weight_unit, time_s, distance_m, rpe, rir, rest_s, tempo, superset_group, notes`;

/** The given entries as rows of `entries`. */
function entryRows(sql: Db["sql"], entries: RoutineEntry[]): Fragment {
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
  return sql`entries as (
    select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (
      position smallint, exercise_id uuid, exercise_name text, mode text, sets smallint,
      reps_min smallint, reps_max smallint, weight numeric, weight_unit text, time_s integer,
      distance_m integer, rpe numeric, rir smallint, rest_s integer, tempo text,
      superset_group smallint, notes text)
  )`;
}

/** The exercises in `entries` that neither the catalog nor the owner has. */
const missing = (sql: Db["sql"], ownerId: Fragment): Fragment => sql`missing as (
  select distinct exercise_id
  from entries
  where exercise_id is not null and not exists (
    select from exercises
    where exercises.id = entries.exercise_id
      and (exercises.owner_id is null or exercises.owner_id = ${ownerId}))
)`;

function insertEntries(sql: Db["sql"], routineId: Fragment): Fragment {
  const values = ENTRY_COLUMNS.replace(
    "exercise_name",
    "coalesce(exercises.name, exercise_name)",
  ).replace(/\b(mode|notes)\b/g, "entries.$1");
  return sql`
    insert into routine_exercises (routine_id, position, ${sql.unsafe(ENTRY_COLUMNS)})
    select ${routineId}, entries.position, ${sql.unsafe(values)}
    from entries
    left join exercises on exercises.id = entries.exercise_id
    where not exists (select from missing)`;
}

/** Assignments of every entry column for an upsert. */
const excludedColumns = (sql: Db["sql"]): Fragment =>
  sql.unsafe(
    ENTRY_COLUMNS.split(",")
      .map((column) => `${column.trim()} = excluded.${column.trim()}`)
      .join(", "),
  ) as unknown as Fragment;
