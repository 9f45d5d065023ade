import { createHash } from "node:crypto";
import type { Db } from "#db/client.ts";
import { retryTransaction } from "#db/retry.ts";
import { type InvalidationMessage, sendInvalidation } from "#src/cache/invalidations.ts";
import { renderDocuments } from "#src/exercises/exercises.queries.ts";
import { slugOf } from "#src/exercises/slug.rules.ts";
import type { ExerciseEntry } from "./catalog.schemas.ts";
import type { Catalog } from "./read-catalog.ts";

export const SEED_PARTS = [
  "roles",
  "equipment",
  "muscle-groups",
  "exercise-tags",
  "exercises",
] as const;
export type SeedPart = (typeof SEED_PARTS)[number];

/** The changes to one part. `kept` counts rows that administrators changed or deleted. */
export type SeedReport = {
  part: SeedPart;
  added: number;
  changed: number;
  kept: number;
  removed: number;
};

export type SeedOptions = {
  only?: SeedPart[];
  /** Overwrites the changes of administrators. */
  overwrite?: boolean;
  /** Reports the changes and rolls them back. */
  dryRun?: boolean;
  /** Sent to the running processes when the transaction commits (`Invalidations.publish`). */
  invalidationMessage?: InvalidationMessage;
};

/** An arbitrary number that no other advisory lock of this database uses. */
const LOCK_KEY = 7_106_131_402;
const MAX_RETRIES = 5;

/** Rolls the transaction of a dry run back. */
class DryRun extends Error {}

/**
 * Updates the database to match the catalog files, in one transaction. A second run writes nothing.
 * Retries after a deadlock with requests that use the catalog.
 */
export async function seedCatalog(
  db: Db,
  catalog: Catalog,
  options: SeedOptions = {},
): Promise<SeedReport[]> {
  const parts = options.only ?? SEED_PARTS;
  let reports: SeedReport[] = [];
  const work = async (tx: Db) => {
    reports = [];
    await tx.sql`select pg_advisory_xact_lock(${LOCK_KEY})`;
    for (const part of SEED_PARTS)
      if (parts.includes(part)) reports.push(await seedPart(tx, part, catalog, options));
    // Without statistics, the first lists after a seed are planned as for an empty table.
    const isChanged = reports.some(({ added, changed, removed }) => added + changed + removed > 0);
    if (isChanged) await tx.sql`analyze exercises`;
    if (options.dryRun) throw new DryRun();
    if (options.invalidationMessage && isChanged)
      await sendInvalidation(tx, options.invalidationMessage);
  };
  try {
    await retryTransaction(MAX_RETRIES, () => db.transaction(work));
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  return reports;
}

/** True if the database has no system exercise. */
export async function isCatalogEmpty(db: Db): Promise<boolean> {
  const [row] = await db.sql<
    { empty: boolean }[]
  >`select not exists (select from exercises where owner_id is null) as empty`;
  return row?.empty ?? true;
}

function seedPart(
  tx: Db,
  part: SeedPart,
  catalog: Catalog,
  { overwrite = false }: SeedOptions,
): Promise<SeedReport> {
  switch (part) {
    case "roles":
      return seedRoles(tx, catalog.roles);
    case "equipment":
      return seedNames(tx, part, "equipment", catalog.equipment);
    case "muscle-groups":
      return seedNames(tx, part, "muscle_groups", catalog.muscleGroups);
    case "exercise-tags":
      return seedNames(tx, part, "exercise_tags", catalog.exerciseTags);
    case "exercises":
      return seedExercises(tx, catalog.exercises, overwrite);
  }
}

async function seedRoles({ sql }: Db, roles: Catalog["roles"]): Promise<SeedReport> {
  const written = await sql<{ inserted: boolean }[]>`
    insert into roles (slug, name)
    select * from unnest(${roles.map(({ slug }) => slug)}::text[], ${roles.map(({ name }) => name)}::text[])
    on conflict (slug) do update set name = excluded.name where roles.name <> excluded.name
    returning xmax = 0 as inserted`;
  const added = written.filter(({ inserted }) => inserted).length;
  return { part: "roles", added, changed: written.length - added, kept: 0, removed: 0 };
}

/**
 * Adds missing entries only. Entries that administrators renamed or added stay, and so do entries
 * that other rows refer to.
 */
async function seedNames(
  { sql }: Db,
  part: SeedPart,
  table: string,
  names: string[],
): Promise<SeedReport> {
  const added = await sql`
    insert into ${sql(table)} (name)
    select name from unnest(${names}::text[]) with ordinality as listed (name, position)
    where not exists (select from ${sql(table)} as existing where existing.name = listed.name)
    order by position
    on conflict (name) do nothing`;
  return { part, added: added.count, changed: 0, kept: 0, removed: 0 };
}

/** An entry as a row. The hash tells whether the files changed since the last seed. */
const rowOf = (entry: ExerciseEntry) => {
  const row = {
    slug: slugOf(entry.name),
    name: entry.name,
    aliases: entry.aliases ?? [],
    category: entry.category,
    difficulty: entry.difficulty,
    force: entry.force ?? null,
    mechanic: entry.mechanic ?? null,
    measure: entry.measure,
    is_one_sided: entry.oneSided ?? false,
    instructions: entry.instructions.join("\n"),
    primary: entry.primary,
    secondary: entry.secondary ?? [],
    equipment: entry.equipment,
    tags: entry.tags,
  };
  return { ...row, hash: createHash("sha256").update(JSON.stringify(row)).digest("hex") };
};

/**
 * Updates rows whose `seed_hash` differs from the file, and deletes rows that are in no file any
 * more. Keeps rows without a hash, which administrators have changed (every write of a system
 * exercise clears it), and does not add exercises that administrators have deleted.
 */
async function seedExercises(
  db: Db,
  entries: ExerciseEntry[],
  overwrite: boolean,
): Promise<SeedReport> {
  const { sql } = db;
  const removals = overwrite ? new Set<string>() : new Set(await listSeedRemovals(db));
  if (overwrite) await sql`delete from seed_removals`;
  const rows = JSON.stringify(entries.map(rowOf).filter(({ slug }) => !removals.has(slug)));
  await sql`create temp table listed on commit drop as select * from json_to_recordset(${rows}::text::json) as listed (
    slug text, name text, aliases text[], category text, difficulty text, force text, mechanic text, measure text,
    is_one_sided boolean, instructions text, "primary" text[], secondary text[], equipment text[], tags text[], hash text
  )`;
  const removed = await sql`
    delete from exercises where owner_id is null and seed_hash is not null
      and slug not in (select slug from listed)`;
  const [state] = await sql<{ kept: number }[]>`
    select count(*) filter (where id is not null and seed_hash is null)::int as kept
    from listed left join exercises on exercises.slug = listed.slug and owner_id is null`;
  const written = await sql<{ id: string; inserted: boolean }[]>`
    insert into exercises as existing (
      slug, name, aliases, category, difficulty, force, mechanic, measure, is_one_sided, instructions, seed_hash
    )
    select slug, name, aliases, category, difficulty, force, mechanic, measure, is_one_sided, instructions, hash
    from listed
    on conflict (slug) where owner_id is null do update set
      name = excluded.name, aliases = excluded.aliases, category = excluded.category, difficulty = excluded.difficulty,
      force = excluded.force, mechanic = excluded.mechanic, measure = excluded.measure,
      is_one_sided = excluded.is_one_sided, instructions = excluded.instructions,
      seed_hash = excluded.seed_hash, updated_at = now(), version = existing.version + 1
    where existing.seed_hash <> excluded.seed_hash or (existing.seed_hash is null and ${overwrite})
    returning id, xmax = 0 as inserted`;
  const ids = written.map(({ id }) => id);
  if (ids.length > 0) await relink(db, ids);
  await sql`drop table listed`;
  const added = written.filter(({ inserted }) => inserted).length;
  const keptRemovals = entries.filter(({ name }) => removals.has(slugOf(name))).length;
  const kept = overwrite ? 0 : (state?.kept ?? 0) + keptRemovals;
  return { part: "exercises", added, changed: ids.length - added, kept, removed: removed.count };
}

/** Replaces the links of the written exercises, and renders their documents. */
async function relink(db: Db, ids: string[]) {
  const { sql } = db;
  const links = [
    ["exercise_primary_muscles", "muscle_group_id", "muscle_groups", "primary"],
    ["exercise_secondary_muscles", "muscle_group_id", "muscle_groups", "secondary"],
    ["exercise_equipment", "equipment_id", "equipment", "equipment"],
    ["exercise_tag_links", "exercise_tag_id", "exercise_tags", "tags"],
  ] as const;
  for (const [table, column, catalog, field] of links) {
    await sql`delete from ${sql(table)} where exercise_id = any (${ids})`;
    await sql`
      insert into ${sql(table)} (exercise_id, ${sql(column)})
      select exercises.id, catalog.id from listed
      join exercises on exercises.slug = listed.slug and exercises.owner_id is null and exercises.id = any (${ids})
      cross join lateral unnest(listed.${sql(field)}) as linked (name)
      join ${sql(catalog)} as catalog on catalog.name = linked.name`;
  }
  // Without statistics, rendering plans for empty tables of links, which takes four times longer.
  for (const [table] of links) await sql`analyze ${sql(table)}`;
  await renderDocuments(db, ids);
}

async function listSeedRemovals({ sql }: Db): Promise<string[]> {
  const rows = await sql<{ slug: string }[]>`select slug from seed_removals`;
  return rows.map(({ slug }) => slug);
}
