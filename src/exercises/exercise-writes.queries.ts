import type { Fragment } from "postgres";
import { type Db, unprepared } from "#db/client.ts";
import { type InvalidationMessage, invalidationSql } from "../cache/invalidations.ts";

/** Ids of the catalog entries that an exercise refers to, ascending and distinct. */
export type LinkedIds = {
  primaryMuscles?: number[];
  secondaryMuscles?: number[];
  equipment?: number[];
  tags?: number[];
};

/** The columns of an exercise that a write sets. */
export type WrittenColumns = {
  /** Only of a new exercise whose client chose the id. */
  id?: string;
  name?: string;
  slug?: string;
  category?: string;
  difficulty?: string;
  force?: string | null;
  mechanic?: string | null;
  instructions?: string | null;
  image_path_start?: string | null;
  image_path_end?: string | null;
};

/** Which of the requested catalog ids exist. */
export type ExistingIds = { muscles: number[]; equipment: number[]; tags: number[] };

const LINKS = [
  ["primaryMuscles", "exercise_primary_muscles", "muscle_group_id"],
  ["secondaryMuscles", "exercise_secondary_muscles", "muscle_group_id"],
  ["equipment", "exercise_equipment", "equipment_id"],
  ["tags", "exercise_tag_links", "exercise_tag_id"],
] as const;

/**
 * Inserts an exercise of `ownerId` (null: of the catalog) with its links. If a catalog id does not
 * exist, inserts nothing and returns a null `id`. Violates `exercises_pkey`,
 * `exercises_owner_name_unique`, `exercises_system_name_unique` or `exercises_system_slug_unique`.
 * One statement.
 */
export async function insertExercise(
  { sql }: Db,
  ownerId: string | null,
  columns: WrittenColumns,
  links: LinkedIds,
): Promise<{ id: string | null; existing: ExistingIds }> {
  const row = { owner_id: ownerId, ...columns };
  const names = Object.keys(row) as (keyof typeof row)[];
  const columnNames = names.map((name, index) =>
    index === 0 ? sql`${sql(name)}` : sql`, ${sql(name)}`,
  );
  const typeOf = (name: string) => (name === "id" || name === "owner_id" ? sql`uuid` : sql`text`);
  const values = names.map(
    (name, index) => sql`${index === 0 ? sql`` : sql`, `} ${row[name] ?? null}::${typeOf(name)}`,
  );
  const insertedLinks = LINKS.map(
    ([field, table, column]) => sql`, ${sql(field)} as (
      insert into ${sql(table)} (exercise_id, ${sql(column)})
      select inserted.id, entry_id
      from inserted, unnest(${links[field] ?? []}::smallint[]) as entry_id)`,
  );
  const [result] = await sql<{ id: string | null; existing: ExistingIds }[]>`
    with ${lockedEntries(sql, links)}, inserted as (
      insert into exercises (${columnNames})
      select ${values}
      where ${allExist(sql, links)}
      returning id
    ) ${insertedLinks}
    select (select id from inserted) as id, ${existingIds(sql)} as existing`;
  return result as { id: string | null; existing: ExistingIds };
}

/** An exercise that is locked until the transaction ends, and the catalog ids that exist. */
export type LockedExercise = {
  version: number;
  isSystem: boolean;
  document: string;
  existing: ExistingIds;
};

/**
 * Locks an exercise that `userId` may see, and the catalog entries that it is about to refer to;
 * undefined for anyone else's. Locks the entries first, as a rename of an entry does, so that the
 * two cannot deadlock.
 */
export async function lockExercise(
  { sql }: Db,
  userId: string,
  exerciseId: string,
  links: LinkedIds = {},
): Promise<LockedExercise | undefined> {
  const [exercise] = await sql<LockedExercise[]>`
    with ${lockedEntries(sql, links)}
    select version, owner_id is null as "isSystem", document, ${existingIds(sql)} as existing
    from exercises
    where id = ${exerciseId} and (owner_id is null or owner_id = ${userId})
      and ${countExisting(sql)} >= 0
    for no key update of exercises`;
  return exercise;
}

/**
 * Updates `columns` of a locked exercise, replaces those of its links that are given, and
 * increments its version. From then on the seed leaves a system exercise as the administrator wrote
 * it, and does not insert one with its former slug. One statement.
 */
export async function updateExercise(
  { sql }: Db,
  exerciseId: string,
  columns: WrittenColumns,
  links: LinkedIds,
): Promise<void> {
  const replacedLinks = LINKS.map(([field, table, column]) => {
    const ids = links[field];
    if (!ids) return sql``;
    return sql`, ${sql(`no_more_${field}`)} as (
      delete from ${sql(table)}
      where exercise_id = ${exerciseId} and ${sql(column)} <> all (${ids}::smallint[])
    ), ${sql(field)} as (
      insert into ${sql(table)} (exercise_id, ${sql(column)})
      select ${exerciseId}::uuid, entry_id
      from unnest(${ids}::smallint[]) as entry_id
      on conflict do nothing)`;
  });
  await unprepared(sql`
    with left_out as (
      insert into seed_removals (slug)
      select slug from exercises
      where id = ${exerciseId} and owner_id is null and slug <> ${columns.slug ?? null}
      on conflict do nothing
    ) ${replacedLinks}
    update exercises
    set ${sql({ ...columns, seed_hash: null })}, updated_at = clock_timestamp(),
      version = version + 1
    where id = ${exerciseId}`);
}

/**
 * Deletes a locked exercise and sends `invalidationMessage`. A deleted system exercise is not
 * seeded again. One statement.
 */
export async function deleteExercise(
  { sql }: Db,
  exerciseId: string,
  invalidationMessage: InvalidationMessage,
): Promise<void> {
  await sql`
    with deleted as (
      delete from exercises where id = ${exerciseId} returning slug
    ), left_out as (
      insert into seed_removals (slug)
      select slug from deleted where slug is not null
      on conflict do nothing
    )
    select ${invalidationSql(sql, invalidationMessage)}`;
}

/**
 * The catalog entries with the given ids, protected from deletion and renaming until the
 * transaction ends.
 */
const lockedEntries = (
  sql: Db["sql"],
  { primaryMuscles = [], secondaryMuscles = [], equipment = [], tags = [] }: LinkedIds,
) => {
  const locked = (table: string, ids: number[]) => sql`(
    select id from ${sql(table)} where id = any (${ids}::smallint[]) order by id for key share)`;
  const muscles = [...new Set([...primaryMuscles, ...secondaryMuscles])];
  return sql`existing_muscles as materialized ${locked("muscle_groups", muscles)},
    existing_equipment as materialized ${locked("equipment", equipment)},
    existing_tags as materialized ${locked("exercise_tags", tags)}`;
};

const countExisting = (sql: Db["sql"]): Fragment => sql`(
  (select count(*) from existing_muscles)
  + (select count(*) from existing_equipment)
  + (select count(*) from existing_tags))`;

const existingIds = (sql: Db["sql"]): Fragment => sql`json_build_object(
  'muscles', array(select id from existing_muscles),
  'equipment', array(select id from existing_equipment),
  'tags', array(select id from existing_tags))`;

function allExist(
  sql: Db["sql"],
  { primaryMuscles = [], secondaryMuscles = [], equipment = [], tags = [] }: LinkedIds,
): Fragment {
  const muscles = new Set([...primaryMuscles, ...secondaryMuscles]);
  return sql`${countExisting(sql)} = ${muscles.size + equipment.length + tags.length}`;
}
