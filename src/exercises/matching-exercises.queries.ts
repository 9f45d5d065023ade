import type { Db } from "#db/client.ts";
import { escapeLike } from "#db/fragments.ts";
import type { Statement } from "#db/statement.ts";
import type { CatalogMatches, SearchableExercise, SearchTerm } from "./catalog-search.rules.ts";
import type { ListExercises } from "./exercises.schemas.ts";

/** A search: its terms, and the exercises of the catalog that match all of them. */
export type Search = { terms: SearchTerm[]; catalog: CatalogMatches };

/** The filters of a list or its facets. `search` is null without a search string. */
export type ListCriteria = Omit<ListExercises, "searchString" | "currentPage" | "pageSize"> & {
  userId: string;
  search: Search | null;
};

/** Every exercise of the catalog with the text that it is searched by, oldest first. */
export async function listSearchable({ sql }: Db): Promise<SearchableExercise[]> {
  return await sql<SearchableExercise[]>`
    select id, search_text as "searchText" from exercises where owner_id is null order by id`;
}

/**
 * A query for the exercises that match: of the catalog, of the user's own, or both. Each scope is a
 * query of its own, so that it uses its own index however many exercises other users have. `suffix`
 * (order and limit) is added to each.
 */
export function matching(
  statement: Statement,
  criteria: ListCriteria,
  columns: (isOwn: boolean) => string,
  suffix = "",
): string {
  const { scope, search, userId } = criteria;
  const filters = filterConditions(statement, criteria);
  const scopes: string[] = [];
  if (scope !== "user") {
    const from = search
      ? `${matchRows(statement, search.catalog)} join exercises using (id)`
      : "exercises";
    scopes.push(
      `(select ${columns(false)} from ${from} where owner_id is null ${filters} ${suffix})`,
    );
  }
  if (scope !== "system") {
    const owned = `owner_id = ${statement.value(userId)}`;
    const searched = search ? matchesEveryTerm(statement, search.terms) : "";
    scopes.push(
      `(select ${columns(true)} from exercises where ${owned} ${searched} ${filters} ${suffix})`,
    );
  }
  return scopes.join(" union all ");
}

/** The catalog's matches, which the in-process index has already found, as rows. */
const matchRows = (statement: Statement, { ids, distances }: CatalogMatches) =>
  `unnest(${statement.value(ids)}::uuid[], ${statement.value(distances)}::int[])
    as matches (id, distance)`;

export const hasFilters = (criteria: ListCriteria): boolean =>
  [criteria.primaryMuscles, criteria.secondaryMuscles, criteria.equipment, criteria.tags].some(
    (ids) => ids?.length,
  ) ||
  [criteria.category, criteria.difficultyLevel, criteria.force, criteria.mechanic].some(
    (value) => value !== undefined,
  );

/**
 * The same text whichever filters are set, because every connection keeps a plan for each distinct
 * text.
 */
function filterConditions(statement: Statement, criteria: ListCriteria): string {
  if (!hasFilters(criteria)) return "";
  const overlaps = (column: string, ids: number[] | undefined) => {
    const parameter = statement.value(ids?.length ? ids : null);
    return `(${parameter}::smallint[] is null or ${column} && ${parameter}::smallint[])`;
  };
  const equals = (column: string, value: string | undefined) => {
    const parameter = statement.value(value ?? null);
    return `(${parameter}::text is null or ${column} = ${parameter}::text)`;
  };
  return `
    and ${overlaps("primary_muscle_ids", criteria.primaryMuscles)}
    and ${overlaps("secondary_muscle_ids", criteria.secondaryMuscles)}
    and ${overlaps("equipment_ids", criteria.equipment)}
    and ${overlaps("tag_ids", criteria.tags)}
    and ${equals("category", criteria.category)}
    and ${equals("difficulty", criteria.difficultyLevel)}
    and ${equals("force", criteria.force)}
    and ${equals("mechanic", criteria.mechanic)}`;
}

/**
 * The least word_similarity (pg_trgm, 0 to 1) of a term to a word of the user's own exercise that
 * counts as a match.
 */
const MIN_WORD_SIMILARITY = 0.5;

/** A user's own exercise must match every term: as typed, corrected, or by similarity. */
const matchesEveryTerm = (statement: Statement, terms: SearchTerm[]) =>
  terms
    .map(({ form, corrections }) => {
      const contained = containsAny(statement, "search_text", [form, ...corrections]);
      const similarity = `word_similarity(${statement.value(form)}, search_text)`;
      return `and (${contained} or ${similarity} >= ${MIN_WORD_SIMILARITY})`;
    })
    .join(" ");

/** Whether `column` contains one of `texts`: the same SQL text however many there are. */
export const containsAny = (statement: Statement, column: string, texts: string[]): string => {
  const patterns = texts.map((text) => `%${escapeLike(text)}%`);
  return `${column} like any(${statement.value(patterns)}::text[])`;
};

const MAX_PREPARED_TERMS = 6;

/**
 * Whether to prepare the statement: only frequent forms are worth a plan in every connection's
 * memory.
 */
export const isPrepared = ({ orderBy, sortOrder, search }: ListCriteria): boolean =>
  (search?.terms.length ?? 0) <= MAX_PREPARED_TERMS &&
  sortOrder !== "desc" &&
  ["name", "relevance", undefined].includes(orderBy);

/** How many exercises the user owns. */
export const ownCount = (statement: Statement, { userId }: ListCriteria): string =>
  `coalesce(
    (select count from exercise_counts where owner_id = ${statement.value(userId)}), 0)`;
