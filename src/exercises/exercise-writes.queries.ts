import type { Fragment } from "postgres";
import { type Db, unprepared } from "#db/client.ts";
import { type InvalidationMessage, invalidationSql } from "../cache/invalidations.ts";

/** Ids of catalog entries that an exercise refers to, ascending, none twice. */
export type LinkedIds = {
  primaryMuscles?: number[];
  secondaryMuscles?: number[];
  equipment?: number[];
  tags?: number[];
};

/** Columns of an exercise as its writer gives them. */
export type WrittenColumns = {
  /** Of a new exercise whose client has chosen it. */
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

/** Which of the ids that were asked for there are. */
export type KnownIds = { muscles: number[]; equipment: number[]; tags: number[] };

const LINKS = [
  ["primaryMuscles", "exercise_primary_muscles", "muscle_group_id"],
  ["secondaryMuscles", "exercise_secondary_muscles", "muscle_group_id"],
  ["equipment", "exercise_equipment", "equipment_id"],
  ["tags", "exercise_tag_links", "exercise_tag_id"],
] as const;

/**
 * Inserts an exercise of `ownerId` (null: of the catalog) with its links, unless it refers to
 * something that is not there; then only `known` is of use and `id` is null. Breaks
 * `exercises_pkey`, `exercises_owner_name_unique`, `exercises_system_name_unique` or
 * `exercises_system_slug_unique`. One statement.
 */
export async function insertExercise(
  { sql }: Db,
  ownerId: string | null,
  columns: WrittenColumns,
  links: LinkedIds,
): Promise<{ id: string | null; known: KnownIds }> {
  const row = { owner_id: ownerId, ...columns };
  const names = Object.keys(row) as (keyof typeof row)[];
  const columnNames = names.map((name, at) => (at === 0 ? sql`${sql(name)}` : sql`, ${sql(name)}`));
  const typeOf = (name: string) => (name === "id" || name === "owner_id" ? sql`uuid` : sql`text`);
  const values = names.map(
    (name, at) => sql`${at === 0 ? sql`` : sql`, `} ${row[name] ?? null}::${typeOf(name)}`,
  );
  const linked = LINKS.map(
    ([field, table, column]) => sql`, ${sql(field)} as (
      insert into ${sql(table)} (exercise_id, ${sql(column)})
      select made.id, entry_id from made, unnest(${links[field] ?? []}::smallint[]) as entry_id)`,
  );
  const [made] = await sql<{ id: string | null; known: KnownIds }[]>`
    with ${lockedEntries(sql, links)}, made as (
      insert into exercises (${columnNames})
      select ${values} where ${areAllKnown(sql, links)} returning id
    ) ${linked}
    select (select id from made) as id, ${knownIds(sql)} as known`;
  return made as { id: string | null; known: KnownIds };
}

/** An exercise as its writer found it, locked until the transaction ends. */
export type LockedExercise = {
  version: number;
  isSystem: boolean;
  document: string;
  known: KnownIds;
};

/**
 * Locks an exercise that `userId` may see, and the entries that it is about to refer to; undefined
 * for anyone else's. The entries first: whoever renames one locks them in that order too.
 */
export async function lockExercise(
  { sql }: Db,
  userId: string,
  exerciseId: string,
  links: LinkedIds = {},
): Promise<LockedExercise | undefined> {
  const [locked] = await sql<LockedExercise[]>`
    with ${lockedEntries(sql, links)}
    select version, owner_id is null as "isSystem", document, ${knownIds(sql)} as known
    from exercises
    where id = ${exerciseId} and (owner_id is null or owner_id = ${userId}) and ${countKnown(sql)} >= 0
    for no key update of exercises`;
  return locked;
}

/**
 * Writes columns and replaces the links that are given of a locked exercise, whose version goes up
 * by one. An exercise of the catalog is an administrator's from then on: the seed keeps it, and
 * leaves the slug that it had out. One statement.
 */
export async function updateExercise(
  { sql }: Db,
  exerciseId: string,
  columns: WrittenColumns,
  links: LinkedIds,
): Promise<void> {
  const replaced = LINKS.map(([field, table, column]) => {
    const ids = links[field];
    if (!ids) return sql``;
    return sql`, ${sql(`no_more_${field}`)} as (
      delete from ${sql(table)} where exercise_id = ${exerciseId} and ${sql(column)} <> all (${ids}::smallint[])
    ), ${sql(field)} as (
      insert into ${sql(table)} (exercise_id, ${sql(column)})
      select ${exerciseId}::uuid, entry_id from unnest(${ids}::smallint[]) as entry_id on conflict do nothing)`;
  });
  await unprepared(sql`
    with left_out as (
      insert into seed_removals (slug)
      select slug from exercises where id = ${exerciseId} and owner_id is null and slug <> ${columns.slug ?? null}
      on conflict do nothing
    ) ${replaced}
    update exercises set ${sql({ ...columns, seed_hash: null })}, updated_at = clock_timestamp(), version = version + 1
    where id = ${exerciseId}`);
}

/**
 * Deletes a locked exercise; the seed leaves out what an administrator deleted from the catalog.
 * One statement.
 */
export async function deleteExercise(
  { sql }: Db,
  exerciseId: string,
  invalidationMessage: InvalidationMessage,
): Promise<void> {
  await sql`
    with gone as (delete from exercises where id = ${exerciseId} returning slug), left_out as (
      insert into seed_removals (slug) select slug from gone where slug is not null on conflict do nothing
    )
    select ${invalidationSql(sql, invalidationMessage)}`;
}

/**
 * Catalog entries by the ids given, held against deletion and renaming until the transaction ends.
 */
const lockedEntries = (
  sql: Db["sql"],
  { primaryMuscles = [], secondaryMuscles = [], equipment = [], tags = [] }: LinkedIds,
) => {
  const locked = (table: string, ids: number[]) =>
    sql`(select id from ${sql(table)} where id = any (${ids}::smallint[]) order by id for key share)`;
  const muscles = [...new Set([...primaryMuscles, ...secondaryMuscles])];
  return sql`known_muscles as materialized ${locked("muscle_groups", muscles)},
    known_equipment as materialized ${locked("equipment", equipment)},
    known_tags as materialized ${locked("exercise_tags", tags)}`;
};

const countKnown = (sql: Db["sql"]): Fragment =>
  sql`((select count(*) from known_muscles) + (select count(*) from known_equipment) + (select count(*) from known_tags))`;

const knownIds = (sql: Db["sql"]): Fragment => sql`json_build_object(
  'muscles', array(select id from known_muscles), 'equipment', array(select id from known_equipment),
  'tags', array(select id from known_tags))`;

function areAllKnown(
  sql: Db["sql"],
  { primaryMuscles = [], secondaryMuscles = [], equipment = [], tags = [] }: LinkedIds,
): Fragment {
  const asked =
    new Set([...primaryMuscles, ...secondaryMuscles]).size + equipment.length + tags.length;
  return sql`${countKnown(sql)} = ${asked}`;
}
