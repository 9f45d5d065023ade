import type { Db } from "#db/client.ts";
import { escapeLike } from "#db/fragments.ts";
import { createStatement, type Statement } from "#db/statement.ts";
import type { PageWindow } from "../http/page.ts";
import {
  type FoundExercises,
  NOT_IN_THE_NAME,
  needlesOf,
  type SearchableExercise,
  type SearchedWord,
  searchedText,
} from "./catalog-search.rules.ts";
import type { ListExercises } from "./exercises.schemas.ts";

/** What is searched: words, and the exercises of the catalog that hold them all. */
export type Search = { words: SearchedWord[]; catalog: FoundExercises };

/** What a list or its facets are asked for, by whom. `search` is null when nothing is searched. */
export type ListQuestion = Omit<ListExercises, "searchString" | "currentPage" | "pageSize"> & {
  userId: string;
  search: Search | null;
};

/**
 * One page of documents, joined by commas; how many exercises match in all; how many the asker has
 * of their own.
 */
export type DocumentPage = { documents: string; total: number; ownCount: number };

/** The exercises that fit `question`, in its order, ties by id. One statement. */
export async function listDocuments(
  db: Db,
  question: ListQuestion,
  window: PageWindow,
): Promise<DocumentPage> {
  const statement = createStatement();
  const direction = question.sortOrder === "desc" ? "desc" : "asc";
  const order = `sort_key ${direction}, id ${direction}`;
  const isNarrowed = hasFilters(question) || question.search !== null;
  // Within a scope no two exercises have one name: its index is the order, and nothing has to be
  // sorted.
  const orderInScope = isByName(question) ? `sort_key ${direction}` : order;
  const page = isNarrowed ? "" : pageOf(statement, orderInScope, window);
  const columns = (isOwn: boolean) => `id, ${sortKey(statement, question, isOwn)} as sort_key`;
  // The page is chosen on narrow rows before anything wide is read: 4 to 11 times the naive join
  // (ADR 0006).
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
export type Facets = { total: number } & Record<
  "primaryMuscles" | "secondaryMuscles" | "equipment" | "tags",
  Count[]
> &
  Record<"category" | "difficultyLevel" | "force" | "mechanic", WordCount[]>;

/**
 * How many of the exercises that fit `question` have each muscle, piece of equipment, tag,
 * category, difficulty, force and mechanic: the most frequent first, ties by name. What none of
 * them has is left out. One statement.
 */
export async function countFacets(
  db: Db,
  question: ListQuestion,
): Promise<{ facets: Facets; ownCount: number }> {
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
    with matching as materialized (${matching(statement, question, () => columns)})
    select (select count(*) from matching)::int as total, ${countOwn(statement, question)}::int as "ownCount",
      ${entries("primary_muscle_ids", "muscle_groups")} as "primaryMuscles",
      ${entries("secondary_muscle_ids", "muscle_groups")} as "secondaryMuscles",
      ${entries("equipment_ids", "equipment")} as equipment,
      ${entries("tag_ids", "exercise_tags")} as tags,
      ${words("category")} as category, ${words("difficulty")} as "difficultyLevel",
      ${words("force")} as force, ${words("mechanic")} as mechanic`;
  const [counted] = await statement.run<(Facets & { ownCount: number })[]>(db, {
    prepare: isUsual(question),
  });
  const { ownCount, ...facets } = counted as Facets & { ownCount: number };
  return { facets, ownCount };
}

/** Every exercise of the catalog with what it is found by, in the order of their making. */
export async function listSearchable({ sql }: Db): Promise<SearchableExercise[]> {
  return await sql<SearchableExercise[]>`
    select id, search_text as "searchText" from exercises where owner_id is null order by id`;
}

/**
 * Rows of the catalog, of the asker's own, or both. Each scope is asked for on its own, so that
 * each is found by its own index however many exercises other people have. `limited` is added to
 * each.
 */
function matching(
  statement: Statement,
  question: ListQuestion,
  columns: (isOwn: boolean) => string,
  limited = "",
): string {
  const { scope, search, userId } = question;
  const narrowed = filters(statement, question);
  const scopes: string[] = [];
  if (scope !== "user") {
    const from = search
      ? `${found(statement, search.catalog)} join exercises using (id)`
      : "exercises";
    scopes.push(
      `(select ${columns(false)} from ${from} where owner_id is null ${narrowed} ${limited})`,
    );
  }
  if (scope !== "system") {
    const owned = `owner_id = ${statement.value(userId)} ${search ? holdsAll(statement, search.words) : ""}`;
    scopes.push(`(select ${columns(true)} from exercises where ${owned} ${narrowed} ${limited})`);
  }
  return scopes.join(" union all ");
}

/** The catalog's exercises that hold what is searched, which the process knows already, as rows. */
const found = (statement: Statement, { ids, distances }: FoundExercises) =>
  `unnest(${statement.value(ids)}::uuid[], ${statement.value(distances)}::int[]) as found (id, distance)`;

/** The asked page cannot reach further into either scope than into both together. */
const pageOf = (statement: Statement, order: string, { limit, offset }: PageWindow) =>
  `order by ${order} limit ${offset === 0 ? literal(statement, limit) : statement.value(offset + limit)}`;

const limitAndOffset = (statement: Statement, { limit, offset }: PageWindow) =>
  offset === 0
    ? `limit ${literal(statement, limit)}`
    : `limit ${statement.value(limit)} offset ${statement.value(offset)}`;

const DEFAULT_PAGE_SIZE = 20;
/**
 * A LIMIT that is a parameter makes PostgreSQL plan each time, or plan for a tenth of the table:
 * 0.12 to 0.38 of the throughput of a literal one, measured on a four-table join. The usual page
 * size is a literal.
 */
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
  [question.primaryMuscles, question.secondaryMuscles, question.equipment, question.tags].some(
    (ids) => ids?.length,
  ) ||
  [question.category, question.difficultyLevel, question.force, question.mechanic].some(
    (word) => word !== undefined,
  );

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

/**
 * How like a word of one's own exercise a searched word must be (pg_trgm's word_similarity, 0 to
 * 1).
 */
const OWN_WORD_SIMILARITY = 0.5;

/**
 * In one's own every word must be there: as it was typed, as what it was meant to be, or as
 * something like it.
 */
const holdsAll = (statement: Statement, words: SearchedWord[]) =>
  words
    .map(({ form, meant }) => {
      const fits = holds(statement, "search_text", [form, ...meant]);
      return `and (${fits} or word_similarity(${statement.value(form)}, search_text) >= ${OWN_WORD_SIMILARITY})`;
    })
    .join(" ");

/**
 * That `column` has one of some texts in it: the same text of a statement however many there are.
 */
const holds = (statement: Statement, column: string, texts: string[]) =>
  `${column} like any(${statement.value(texts.map((text) => `%${escapeLike(text)}%`))}::text[])`;

const isByName = ({ orderBy, search }: ListQuestion) =>
  !search && (orderBy === undefined || orderBy === "name" || orderBy === "relevance");

function sortKey(statement: Statement, { orderBy, search }: ListQuestion, isOwn: boolean): string {
  switch (orderBy ?? (search ? "relevance" : "name")) {
    case "difficultyLevel":
      return "case difficulty when 'beginner' then 1 when 'intermediate' then 2 else 3 end";
    case "category":
      return "category";
    case "createdAt":
      return "created_at";
    case "updatedAt":
      return "updated_at";
    case "relevance":
      if (!search) return "lower(name)";
      return isOwn ? distance(statement, search.words) : "found.distance";
    default:
      return "lower(name)";
  }
}

/** `distanceFrom` of catalog-search.rules.ts, of one's own. */
function distance(statement: Statement, words: SearchedWord[]): string {
  const inTheName = words
    .map((word) => holds(statement, "name_form", needlesOf(word)))
    .join(" and ");
  return `case when position(${statement.value(`\n${searchedText(words)}\n`)} in search_text) > 0 then 0
    else (select char_length(name_form) + case when ${inTheName} then 0 else ${NOT_IN_THE_NAME} end
      from (select split_part(search_text, E'\\n', 2) as name_form) as form) end`;
}

const USUAL_WORDS = 6;
/** Whether so many ask like this that every connection keeps the plan. */
const isUsual = ({ orderBy, sortOrder, search }: ListQuestion) =>
  (search?.words.length ?? 0) <= USUAL_WORDS &&
  sortOrder !== "desc" &&
  ["name", "relevance", undefined].includes(orderBy);
