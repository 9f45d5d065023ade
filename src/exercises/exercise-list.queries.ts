import type { Db } from "#db/client.ts";
import { createStatement, type Statement } from "#db/statement.ts";
import { escapeLike } from "../catalogs/catalogs.queries.ts";
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
  const statement = createStatement();
  const direction = question.sortOrder === "desc" ? "desc" : "asc";
  const order = `sort_key ${direction}, id ${direction}`;
  const isNarrowed = hasFilters(question) || question.words.length > 0;
  // Within a scope no two exercises have one name: its index is the order, and nothing has to be sorted.
  const orderInScope = isByName(question) ? `sort_key ${direction}` : order;
  const page = isNarrowed ? "" : pageOf(statement, orderInScope, window);
  const columns = `id, ${sortKey(statement, question)} as sort_key`;
  // The page is chosen on narrow rows before anything wide is read: 4 to 11 times the naive join (ADR 0006).
  statement.text = `
    with matching as (${matching(statement, question, columns, page)}),
    page as (select id, sort_key from matching order by ${order} ${limitAndOffset(statement, window)})
    select ${isNarrowed ? "(select count(*) from matching)" : countInScope(statement, question)}::int as total,
      ${countOwn(statement, question)}::int as "ownCount",
      (select coalesce(string_agg(document, ',' order by page.sort_key ${direction}, page.id ${direction}), '')
       from page join exercises using (id)) as documents`;
  const [found] = await statement.run<DocumentPage[]>(db, { prepare: isUsual(question) });
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
  const statement = createStatement();
  const entries = (ids: string, catalog: string) => `(
    select coalesce(json_agg(json_build_object('id', id, 'name', name, 'count', count) order by count desc, name), '[]')
    from (select entry_id, count(*) from matching, unnest(${ids}) as entry_id group by entry_id) as counted
    join ${catalog} on id = entry_id)`;
  const words = (column: string) => `(
    select coalesce(json_agg(json_build_object('value', value, 'count', count) order by count desc, value), '[]')
    from (select ${column} as value, count(*) from matching where ${column} is not null group by 1) as counted)`;
  const columns =
    "primary_muscle_ids, secondary_muscle_ids, equipment_ids, tag_ids, category, difficulty, force, mechanic";
  statement.text = `
    with matching as materialized (${matching(statement, question, columns)})
    select (select count(*) from matching)::int as total, ${countOwn(statement, question)}::int as "ownCount",
      ${entries("primary_muscle_ids", "muscle_groups")} as "primaryMuscles",
      ${entries("secondary_muscle_ids", "muscle_groups")} as "secondaryMuscles",
      ${entries("equipment_ids", "equipment")} as equipment,
      ${entries("tag_ids", "exercise_tags")} as tags,
      ${words("category")} as category, ${words("difficulty")} as "difficultyLevel",
      ${words("force")} as force, ${words("mechanic")} as mechanic`;
  const [counted] = await statement.run<(Facets & { ownCount: number })[]>(db, { prepare: isUsual(question) });
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
function matching(statement: Statement, question: ListQuestion, columns: string, limited = ""): string {
  const narrowed = filters(statement, question);
  const of = (owner: string, isOwn: boolean) =>
    `(select ${columns} from exercises where ${owner} ${narrowed} ${searches(statement, question, isOwn)} ${limited})`;
  const scopes: string[] = [];
  if (question.scope !== "user") scopes.push(of("owner_id is null", false));
  if (question.scope !== "system") scopes.push(of(`owner_id = ${statement.value(question.userId)}`, true));
  return scopes.join(" union all ");
}

/** The asked page cannot reach further into either scope than into both together. */
const pageOf = (statement: Statement, order: string, { limit, offset }: PageWindow) =>
  `order by ${order} limit ${offset === 0 ? literal(statement, limit) : statement.value(offset + limit)}`;

const limitAndOffset = (statement: Statement, { limit, offset }: PageWindow) =>
  offset === 0
    ? `limit ${literal(statement, limit)}`
    : `limit ${statement.value(limit)} offset ${statement.value(offset)}`;

const DEFAULT_PAGE_SIZE = 20;
/** A LIMIT that PostgreSQL does not know when it plans costs up to eight times (PERFORMANCE.md §3); the usual one it knows. */
const literal = (statement: Statement, limit: number) =>
  limit === DEFAULT_PAGE_SIZE ? String(DEFAULT_PAGE_SIZE) : statement.value(limit);

const countOwn = (statement: Statement, { userId }: ListQuestion) =>
  `coalesce((select count from exercise_counts where owner_id = ${statement.value(userId)}), 0)`;

function countInScope(statement: Statement, question: ListQuestion): string {
  const system = "coalesce((select count from exercise_counts where owner_id is null), 0)";
  if (question.scope === "system") return system;
  const own = countOwn(statement, question);
  return question.scope === "user" ? own : `(${system} + ${own})`;
}

const hasFilters = (question: ListQuestion) =>
  [question.primaryMuscles, question.secondaryMuscles, question.equipment, question.tags].some((ids) => ids?.length) ||
  [question.category, question.difficultyLevel, question.force, question.mechanic].some((word) => word !== undefined);

/** One text whichever filters are set: each distinct text is a plan that every connection keeps. */
function filters(statement: Statement, question: ListQuestion): string {
  if (!hasFilters(question)) return "";
  const links = (column: string, ids: number[] | undefined) => {
    const given = statement.value(ids?.length ? ids : null);
    return `(${given}::smallint[] is null or ${column} && ${given}::smallint[])`;
  };
  const word = (column: string, wanted: string | undefined) => {
    const given = statement.value(wanted ?? null);
    return `(${given}::text is null or ${column} = ${given}::text)`;
  };
  return `
    and ${links("primary_muscle_ids", question.primaryMuscles)}
    and ${links("secondary_muscle_ids", question.secondaryMuscles)}
    and ${links("equipment_ids", question.equipment)} and ${links("tag_ids", question.tags)}
    and ${word("category", question.category)} and ${word("difficulty", question.difficultyLevel)}
    and ${word("force", question.force)} and ${word("mechanic", question.mechanic)}`;
}

/** How like a word of one's own exercise a searched word must be (pg_trgm's word_similarity, 0 to 1). */
const OWN_WORD_SIMILARITY = 0.5;

/** Every word must be there: as it was typed, as what it was meant to be, or, in one's own, as something like it. */
function searches(statement: Statement, { words }: ListQuestion, isOwn: boolean): string {
  return words
    .map((word) => {
      if (!isOwn) return `and ${holds(statement, "search_text", needlesOf(word))}`;
      const fits = holds(statement, "search_text", [word.form, ...word.meant]);
      return `and (${fits} or word_similarity(${statement.value(word.form)}, search_text) >= ${OWN_WORD_SIMILARITY})`;
    })
    .join(" ");
}

/** What to look for in the catalog: a word that may be meant to be others stands in none of its names as it is. */
function needlesOf({ form, meant: [first = form, second = first] }: SearchedWord): string[] {
  return second.includes(first) ? [first] : first.includes(second) ? [second] : [first, second];
}

/**
 * That `column` has one of some texts in it. One condition, not one for each text: PostgreSQL then keeps one plan instead
 * of planning each search. A regular expression costs ten times a LIKE, so it is used where there is a choice only.
 */
function holds(statement: Statement, column: string, texts: string[]): string {
  const [text, ...others] = texts as [string, ...string[]];
  if (others.length === 0) return `${column} like ${statement.value(`%${escapeLike(text)}%`)}`;
  return `${column} ~ ${statement.value(texts.map((each) => each.replace(/[^\p{L}\p{N}]/gu, "\\$&")).join("|"))}`;
}

const isByName = ({ orderBy, words }: ListQuestion) =>
  words.length === 0 && (orderBy === undefined || orderBy === "name" || orderBy === "relevance");

function sortKey(statement: Statement, { orderBy, words }: ListQuestion): string {
  switch (orderBy ?? (words.length > 0 ? "relevance" : "name")) {
    case "difficultyLevel":
      return "case difficulty when 'beginner' then 1 when 'intermediate' then 2 else 3 end";
    case "category":
      return "category";
    case "createdAt":
      return "created_at";
    case "updatedAt":
      return "updated_at";
    case "relevance":
      return words.length > 0 ? distance(statement, words) : "lower(name)";
    default:
      return "lower(name)";
  }
}

/** What is worse than any difference in length: names are at most 100 characters long. */
const NOT_IN_THE_NAME = 1000;

/**
 * How far a match is from what was searched, the nearest first in ascending order: 0 for exactly that name or alias, then
 * names that hold every word, then those of which only an alias does; the shorter ones first, since less of them is
 * something else. (pg_trgm's similarity orders them alike, and costs ten times as much.)
 */
function distance(statement: Statement, words: SearchedWord[]): string {
  const searched = words.map(({ form, meant }) => meant[0] ?? form).join(" ");
  const inTheName = words.map((word) => holds(statement, "name_form", needlesOf(word))).join(" and ");
  return `case when position(${statement.value(`\n${searched}\n`)} in search_text) > 0 then 0
    else (select char_length(name_form) + case when ${inTheName} then 0 else ${NOT_IN_THE_NAME} end
      from (select split_part(search_text, E'\\n', 2) as name_form) as form) end`;
}

const USUAL_WORDS = 6;
/** Whether so many ask like this that every connection keeps the plan. */
const isUsual = ({ orderBy, sortOrder, words }: ListQuestion) =>
  words.length <= USUAL_WORDS && sortOrder !== "desc" && ["name", "relevance", undefined].includes(orderBy);
