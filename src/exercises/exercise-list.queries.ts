import type { Db } from "#db/client.ts";
import { createStatement, type Statement } from "#db/statement.ts";
import type { PageWindow } from "../http/page.ts";
import {
  ALIAS_PENALTY,
  alternativesOf,
  correctedQuery,
  type SearchTerm,
} from "./catalog-search.rules.ts";
import {
  containsAny,
  hasFilters,
  isPrepared,
  type ListCriteria,
  matching,
  ownCount,
} from "./matching-exercises.queries.ts";

/**
 * One page of documents, joined by commas; how many exercises match in all; how many the user owns.
 */
export type DocumentPage = { documents: string; total: number; ownCount: number };

/** The exercises that match, in the order of `criteria`, ties by id. One statement. */
export async function listDocuments(
  db: Db,
  criteria: ListCriteria,
  window: PageWindow,
): Promise<DocumentPage> {
  const statement = createStatement();
  const direction = criteria.sortOrder === "desc" ? "desc" : "asc";
  const order = `sort_key ${direction}, id ${direction}`;
  const isNarrowed = hasFilters(criteria) || criteria.search !== null;
  // Names are unique within a scope, so the index on them gives the order without a sort.
  const orderInScope = isByName(criteria) ? `sort_key ${direction}` : order;
  const suffix = isNarrowed ? "" : limitInScope(statement, orderInScope, window);
  const columns = (isOwn: boolean) => `id, ${sortKey(statement, criteria, isOwn)} as sort_key`;
  const total = isNarrowed ? "(select count(*) from matching)" : countInScope(statement, criteria);
  // The page is selected from narrow rows before any document is read: 4 to 11 times as fast as the
  // naive join (ADR 0006).
  statement.text = `
    with matching as (${matching(statement, criteria, columns, suffix)}),
    page as (
      select id, sort_key from matching order by ${order} ${limitAndOffset(statement, window)}
    )
    select ${total}::int as total,
      ${ownCount(statement, criteria)}::int as "ownCount",
      (select coalesce(
          string_agg(document, ',' order by page.sort_key ${direction}, page.id ${direction}), '')
        from page
        join exercises using (id)) as documents`;
  const [page] = await statement.run<DocumentPage[]>(db, { prepare: isPrepared(criteria) });
  return page as DocumentPage;
}

/** A page of both scopes needs at most the rows up to its end from each. */
const limitInScope = (statement: Statement, order: string, { limit, offset }: PageWindow) =>
  `order by ${order}
    limit ${offset === 0 ? literal(statement, limit) : statement.value(offset + limit)}`;

const limitAndOffset = (statement: Statement, { limit, offset }: PageWindow) =>
  offset === 0
    ? `limit ${literal(statement, limit)}`
    : `limit ${statement.value(limit)} offset ${statement.value(offset)}`;

const DEFAULT_PAGE_SIZE = 20;
/**
 * The default page size is a literal: if LIMIT is a parameter, PostgreSQL plans each time, or plans
 * for a tenth of the table (0.12 to 0.38 of the throughput, measured on a four-table join).
 */
const literal = (statement: Statement, limit: number) =>
  limit === DEFAULT_PAGE_SIZE ? String(DEFAULT_PAGE_SIZE) : statement.value(limit);

function countInScope(statement: Statement, criteria: ListCriteria): string {
  const system = "coalesce((select count from exercise_counts where owner_id is null), 0)";
  if (criteria.scope === "system") return system;
  const own = ownCount(statement, criteria);
  return criteria.scope === "user" ? own : `(${system} + ${own})`;
}

const isByName = ({ orderBy, search }: ListCriteria) =>
  !search && (orderBy === undefined || orderBy === "name" || orderBy === "relevance");

function sortKey(statement: Statement, { orderBy, search }: ListCriteria, isOwn: boolean): string {
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
      return isOwn ? distance(statement, search.terms) : "matches.distance";
    default:
      return "lower(name)";
  }
}

/** `distanceFrom` of catalog-search.rules.ts in SQL, for the user's own exercises. */
function distance(statement: Statement, terms: SearchTerm[]): string {
  const isInName = terms
    .map((term) => containsAny(statement, "name_form", alternativesOf(term)))
    .join(" and ");
  const exactLine = statement.value(`\n${correctedQuery(terms)}\n`);
  return `case
    when position(${exactLine} in search_text) > 0 then 0
    else (
      select char_length(name_form) + case when ${isInName} then 0 else ${ALIAS_PENALTY} end
      from (select split_part(search_text, E'\\n', 2) as name_form) as form
    ) end`;
}
