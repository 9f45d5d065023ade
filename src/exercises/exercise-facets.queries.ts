import type { Db } from "#db/client.ts";
import { createStatement } from "#db/statement.ts";
import { isPrepared, type ListCriteria, matching, ownCount } from "./matching-exercises.queries.ts";

type EntryCount = { id: number; name: string; count: number };
type ValueCount = { value: string; count: number };
export type Facets = { total: number } & Record<
  "primaryMuscles" | "secondaryMuscles" | "equipment" | "tags",
  EntryCount[]
> &
  Record<"category" | "difficultyLevel" | "force" | "mechanic", ValueCount[]>;

/**
 * Counts the matching exercises by muscle, equipment, tag, category, difficulty, force and
 * mechanic: the most frequent first, ties by name; values without any exercise are left out.
 * `ownCount` is the number of exercises that the user owns. One statement.
 */
export async function countFacets(
  db: Db,
  criteria: ListCriteria,
): Promise<{ facets: Facets; ownCount: number }> {
  const statement = createStatement();
  const columns = `primary_muscle_ids, secondary_muscle_ids, equipment_ids, tag_ids,
    category, difficulty, force, mechanic`;
  statement.text = `
    with matching as materialized (${matching(statement, criteria, () => columns)})
    select (select count(*) from matching)::int as total,
      ${ownCount(statement, criteria)}::int as "ownCount",
      ${entryCounts("primary_muscle_ids", "muscle_groups")} as "primaryMuscles",
      ${entryCounts("secondary_muscle_ids", "muscle_groups")} as "secondaryMuscles",
      ${entryCounts("equipment_ids", "equipment")} as equipment,
      ${entryCounts("tag_ids", "exercise_tags")} as tags,
      ${valueCounts("category")} as category,
      ${valueCounts("difficulty")} as "difficultyLevel",
      ${valueCounts("force")} as force,
      ${valueCounts("mechanic")} as mechanic`;
  const [row] = await statement.run<(Facets & { ownCount: number })[]>(db, {
    prepare: isPrepared(criteria),
  });
  const { ownCount: count, ...facets } = row as Facets & { ownCount: number };
  return { facets, ownCount: count };
}

const entryCounts = (ids: string, catalog: string) => `(
  select coalesce(
    json_agg(json_build_object('id', id, 'name', name, 'count', count) order by count desc, name),
    '[]')
  from (
    select entry_id, count(*) from matching, unnest(${ids}) as entry_id group by entry_id
  ) as counted
  join ${catalog} on id = entry_id)`;

const valueCounts = (column: string) => `(
  select coalesce(
    json_agg(json_build_object('value', value, 'count', count) order by count desc, value),
    '[]')
  from (
    select ${column} as value, count(*) from matching where ${column} is not null group by 1
  ) as counted)`;
