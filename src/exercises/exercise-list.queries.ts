import type { Fragment } from "postgres";
import { type Db, unprepared } from "#db/client.ts";
import type { PageWindow } from "../http/page.ts";
import type { ListExercises } from "./exercises.schemas.ts";

/** What a search looks for: each word in its `searchForm`, and the words of the catalog that it may be meant to be. */
export type SearchedWord = { form: string; meant: string[] };

/** What a list or its facets are asked for, by whom. `words` is empty when nothing is searched. */
export type ListQuestion = Omit<ListExercises, "searchString" | "currentPage" | "pageSize"> & {
  userId: string;
  words: SearchedWord[];
};

/** One page of documents, joined by commas; how many exercises match in all; how many the asker has of their own. */
export type DocumentPage = { documents: string; total: number; ownCount: number };

/** The exercises that fit `question`, in its order, ties by id. One statement. */
export async function listDocuments(db: Db, question: ListQuestion, window: PageWindow): Promise<DocumentPage> {
  const { sql } = db;
  const direction = question.sortOrder === "desc" ? sql`desc` : sql`asc`;
  const order = sql`sort_key ${direction}, id ${direction}`;
  // Within a scope no two exercises have one name: its index is the order, and nothing has to be sorted.
  const orderInScope = isByName(question) ? sql`sort_key ${direction}` : order;
  const isFiltered = hasFilters(question) || question.words.length > 0;
  const total = isFiltered ? sql`(select count(*) from matching)` : countInScope(db, question);
  // The page is chosen on narrow rows before anything wide is read: 4 to 11 times the naive join (ADR 0006).
  const page = sql<DocumentPage[]>`
    with matching as (${matching(db, question, sql`id, ${sortKey(db, question)} as sort_key`, isFiltered ? sql`` : pageOf(db, orderInScope, window))}),
    page as (select id, sort_key from matching order by ${order} ${limitAndOffset(db, window)})
    select ${total}::int as total,
      ${countOwn(db, question)}::int as "ownCount",
      (select coalesce(string_agg(document, ',' order by page.sort_key ${direction}, page.id ${direction}), '')
       from page join exercises using (id)) as documents`;
  const [found] = await (isUsual(question) ? page : unprepared(page));
  return found as DocumentPage;
}

type Count = { id: number; name: string; count: number };
type WordCount = { value: string; count: number };
export type Facets = { total: number } & Record<"primaryMuscles" | "secondaryMuscles" | "equipment" | "tags", Count[]> &
  Record<"category" | "difficultyLevel" | "force" | "mechanic", WordCount[]>;

/**
 * How many of the exercises that fit `question` have each muscle, piece of equipment, tag, category, difficulty, force
 * and mechanic: the most frequent first, ties by name. What none of them has is left out. One statement.
 */
export async function countFacets(db: Db, question: ListQuestion): Promise<{ facets: Facets; ownCount: number }> {
  const { sql } = db;
  const entries = (ids: string, catalog: string) => sql`(
    select coalesce(json_agg(json_build_object('id', id, 'name', name, 'count', count) order by count desc, name), '[]')
    from (select entry_id, count(*) from matching, unnest(${sql(ids)}) as entry_id group by entry_id) as counted
    join ${sql(catalog)} on id = entry_id)`;
  const words = (column: string) => sql`(
    select coalesce(json_agg(json_build_object('value', value, 'count', count) order by count desc, value), '[]')
    from (select ${sql(column)} as value, count(*) from matching where ${sql(column)} is not null group by 1) as counted)`;
  const columns = sql`primary_muscle_ids, secondary_muscle_ids, equipment_ids, tag_ids, category, difficulty, force, mechanic`;
  const asked = sql<(Facets & { ownCount: number })[]>`
    with matching as materialized (${matching(db, question, columns)})
    select (select count(*) from matching)::int as total,
      ${countOwn(db, question)}::int as "ownCount",
      ${entries("primary_muscle_ids", "muscle_groups")} as "primaryMuscles",
      ${entries("secondary_muscle_ids", "muscle_groups")} as "secondaryMuscles",
      ${entries("equipment_ids", "equipment")} as equipment,
      ${entries("tag_ids", "exercise_tags")} as tags,
      ${words("category")} as category, ${words("difficulty")} as "difficultyLevel",
      ${words("force")} as force, ${words("mechanic")} as mechanic`;
  const [counted] = await (isUsual(question) ? asked : unprepared(asked));
  const { ownCount, ...facets } = counted as Facets & { ownCount: number };
  return { facets, ownCount };
}

/** Every word of three letters or more in the names and aliases of the catalog, in no order. */
export async function listCatalogWords({ sql }: Db): Promise<string[]> {
  const rows = await sql<{ word: string }[]>`
    select distinct word from exercises, regexp_split_to_table(search_text, '[^[:alnum:]]+') as word
    where owner_id is null and char_length(word) >= 3`;
  return rows.map(({ word }) => word);
}

/**
 * Rows of the catalog, of the asker's own, or both. Each scope is asked for on its own, so that each is found by its own
 * index however many exercises other people have. `limited` is added to each.
 */
function matching(db: Db, question: ListQuestion, columns: Fragment, limited: Fragment = db.sql``): Fragment {
  const { sql } = db;
  const of = (owner: Fragment, isOwn: boolean) =>
    sql`(select ${columns} from exercises where ${owner} ${filters(db, question)} ${searches(db, question, isOwn)} ${limited})`;
  const [system, own] = [of(sql`owner_id is null`, false), of(sql`owner_id = ${question.userId}`, true)];
  if (question.scope === "system") return system;
  if (question.scope === "user") return own;
  return sql`${system} union all ${own}`;
}

/** The asked page cannot reach further into either scope than into both together. */
const pageOf = ({ sql }: Db, order: Fragment, { limit, offset }: PageWindow) =>
  sql`order by ${order} limit ${offset === 0 ? literal(sql, limit) : sql`${offset + limit}`}`;

const limitAndOffset = ({ sql }: Db, { limit, offset }: PageWindow) =>
  offset === 0 ? sql`limit ${literal(sql, limit)}` : sql`limit ${limit} offset ${offset}`;

const DEFAULT_PAGE_SIZE = 20;
/** A LIMIT that PostgreSQL does not know when it plans costs up to eight times (PERFORMANCE.md §3); the usual one it knows. */
const literal = (sql: Db["sql"], limit: number) => (limit === DEFAULT_PAGE_SIZE ? sql`20` : sql`${limit}`);

const countOwn = ({ sql }: Db, { userId }: ListQuestion): Fragment =>
  sql`coalesce((select count from exercise_counts where owner_id = ${userId}), 0)`;

function countInScope(db: Db, question: ListQuestion): Fragment {
  const { sql } = db;
  const { scope } = question;
  const own = countOwn(db, question);
  const system = sql`coalesce((select count from exercise_counts where owner_id is null), 0)`;
  if (scope === "system") return system;
  return scope === "user" ? own : sql`(${system} + ${own})`;
}

const hasFilters = (question: ListQuestion) =>
  [question.primaryMuscles, question.secondaryMuscles, question.equipment, question.tags].some((ids) => ids?.length) ||
  [question.category, question.difficultyLevel, question.force, question.mechanic].some((word) => word !== undefined);

/** One text whichever filters are set: each distinct text is a plan that every connection keeps. */
function filters(db: Db, question: ListQuestion): Fragment {
  const { sql } = db;
  if (!hasFilters(question)) return sql``;
  const links = (column: string, ids: number[] | undefined) =>
    sql`(${ids?.length ? ids : null}::smallint[] is null or ${sql(column)} && ${ids ?? []}::smallint[])`;
  const word = (column: string, given: string | undefined) =>
    sql`(${given ?? null}::text is null or ${sql(column)} = ${given ?? null})`;
  return sql`
    and ${links("primary_muscle_ids", question.primaryMuscles)}
    and ${links("secondary_muscle_ids", question.secondaryMuscles)}
    and ${links("equipment_ids", question.equipment)} and ${links("tag_ids", question.tags)}
    and ${word("category", question.category)} and ${word("difficulty", question.difficultyLevel)}
    and ${word("force", question.force)} and ${word("mechanic", question.mechanic)}`;
}

/** How like a word of one's own exercise a searched word must be (pg_trgm's word_similarity, 0 to 1). */
const OWN_WORD_SIMILARITY = 0.5;

/** Every word must be there: as it was typed, as what it was meant to be, or, in one's own, as something like it. */
function searches({ sql }: Db, { words }: ListQuestion, isOwn: boolean): Fragment[] | Fragment {
  if (words.length === 0) return sql``;
  // One condition a word, whatever it may be meant to be: PostgreSQL then keeps one plan instead of planning each search.
  return words.map(({ form, meant }) => {
    const fits = sql`search_text ~ ${[form, ...meant].map(escapeRegex).join("|")}`;
    if (!isOwn) return sql`and ${fits}`;
    return sql`and (${fits} or word_similarity(${form}, search_text) >= ${OWN_WORD_SIMILARITY})`;
  });
}

/** Makes every character that is not a letter or digit an ordinary one of a PostgreSQL regular expression. */
const escapeRegex = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "\\$&");

const isByName = ({ orderBy, words }: ListQuestion) =>
  words.length === 0 && (orderBy === undefined || orderBy === "name" || orderBy === "relevance");

function sortKey({ sql }: Db, { orderBy, words }: ListQuestion): Fragment {
  switch (orderBy ?? (words.length > 0 ? "relevance" : "name")) {
    case "difficultyLevel":
      return sql`case difficulty when 'beginner' then 1 when 'intermediate' then 2 else 3 end`;
    case "category":
      return sql`category`;
    case "createdAt":
      return sql`created_at`;
    case "updatedAt":
      return sql`updated_at`;
    case "relevance":
      return words.length > 0 ? distance(sql, words) : sql`lower(name)`;
    default:
      return sql`lower(name)`;
  }
}

/** 0 for what has exactly the searched name or alias, up to 1: the best match is first in ascending order. */
function distance(sql: Db["sql"], words: SearchedWord[]): Fragment {
  const searched = words.map(({ form, meant }) => meant[0] ?? form).join(" ");
  return sql`case when position(${`\n${searched}\n`} in search_text) > 0 then 0
    else 1 - similarity(split_part(search_text, E'\\n', 2), ${searched}) end`;
}

const USUAL_WORDS = 6;
/** Whether so many ask like this that every connection keeps the plan. */
const isUsual = ({ orderBy, sortOrder, words }: ListQuestion) =>
  words.length <= USUAL_WORDS && sortOrder !== "desc" && ["name", "relevance", undefined].includes(orderBy);
