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

/**
 * What a seed did to one part. `kept` counts rows that administrators changed and that the files
 * say otherwise.
 */
export type SeedReport = {
  part: SeedPart;
  added: number;
  changed: number;
  kept: number;
  removed: number;
};

export type SeedOptions = {
  only?: SeedPart[];
  /** Bring rows that administrators changed back to what the files say. */
  overwrite?: boolean;
  /** Do everything, report it, and roll back. */
  dryRun?: boolean;
  /** Sent to the running processes when the transaction commits (`Notices.announce`). */
  invalidationMessage?: InvalidationMessage;
};

const LOCK_KEY = 7_106_131_402;

const MAX_RETRIES = 5;

class RolledBack extends Error {}

/**
 * Brings the database to what the catalog says, in one transaction; a second run writes nothing.
 * Retries after a deadlock with those who use the catalog meanwhile.
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
    // Without statistics the first lists after a seed are planned as if there were nothing to list.
    const isChanged = reports.some(({ added, changed, removed }) => added + changed + removed > 0);
    if (isChanged) await tx.sql`analyze exercises`;
    if (options.dryRun) throw new RolledBack();
    if (options.invalidationMessage && isChanged)
      await sendInvalidation(tx, options.invalidationMessage);
  };
  try {
    await retryTransaction(MAX_RETRIES, () => db.transaction(work));
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
  }
  return reports;
}

/** True when the database has no system exercise yet. */
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
 * Only adds: what an administrator renamed or added is theirs, and what uses an entry must not lose
 * it.
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
    where not exists (select from ${sql(table)} as known where known.name = listed.name)
    order by position
    on conflict (name) do nothing`;
  return { part, added: added.count, changed: 0, kept: 0, removed: 0 };
}

/**
 * An entry as the statements below take it. The hash says whether the files changed since they were
 * last written.
 */
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
 * A row whose `seed_hash` is null was changed by an administrator (whoever writes a system exercise
 * clears it) and is kept, and so is it kept out when an administrator deleted it; one whose hash
 * differs from the file's is written anew; one that no file has any more is removed.
 */
async function seedExercises(
  db: Db,
  entries: ExerciseEntry[],
  overwrite: boolean,
): Promise<SeedReport> {
  const { sql } = db;
  const leftOut = overwrite ? new Set<string>() : new Set(await listSeedRemovals(db));
  if (overwrite) await sql`delete from seed_removals`;
  const rows = JSON.stringify(entries.map(rowOf).filter(({ slug }) => !leftOut.has(slug)));
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
    insert into exercises as known (
      slug, name, aliases, category, difficulty, force, mechanic, measure, is_one_sided, instructions, seed_hash
    )
    select slug, name, aliases, category, difficulty, force, mechanic, measure, is_one_sided, instructions, hash
    from listed
    on conflict (slug) where owner_id is null do update set
      name = excluded.name, aliases = excluded.aliases, category = excluded.category, difficulty = excluded.difficulty,
      force = excluded.force, mechanic = excluded.mechanic, measure = excluded.measure,
      is_one_sided = excluded.is_one_sided, instructions = excluded.instructions,
      seed_hash = excluded.seed_hash, updated_at = now(), version = known.version + 1
    where known.seed_hash <> excluded.seed_hash or (known.seed_hash is null and ${overwrite})
    returning id, xmax = 0 as inserted`;
  const ids = written.map(({ id }) => id);
  if (ids.length > 0) await relink(db, ids);
  await sql`drop table listed`;
  const added = written.filter(({ inserted }) => inserted).length;
  const keptOut = entries.filter(({ name }) => leftOut.has(slugOf(name))).length;
  const kept = overwrite ? 0 : (state?.kept ?? 0) + keptOut;
  return { part: "exercises", added, changed: ids.length - added, kept, removed: removed.count };
}

/** Links of the exercises that were written, and their documents. */
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
  // In an empty database the documents would be rendered as if there were no links: four times
  // slower.
  for (const [table] of links) await sql`analyze ${sql(table)}`;
  await renderDocuments(db, ids);
}

async function listSeedRemovals({ sql }: Db): Promise<string[]> {
  const rows = await sql<{ slug: string }[]>`select slug from seed_removals`;
  return rows.map(({ slug }) => slug);
}
