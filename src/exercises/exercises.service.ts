import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { ComputedAnswer } from "../cache/cached-answers.ts";
import type { Audience, CatalogCache } from "../cache/catalog-cache.ts";
import { pageJson, pageWindow } from "../http/page.ts";
import type { Actor } from "../permissions/actor.ts";
import { type CatalogSearch, createCatalogSearch } from "./catalog-search.rules.ts";
import { countFacets } from "./exercise-facets.queries.ts";
import { listDocuments } from "./exercise-list.queries.ts";
import {
  findClientsDocument,
  findDocument,
  findOwnDocumentByName,
  findSystemDocumentBySlug,
} from "./exercises.queries.ts";
import type { FacetQuery, ListExercises } from "./exercises.schemas.ts";
import { listSearchable, type Search } from "./matching-exercises.queries.ts";
import { searchForm } from "./slug.rules.ts";

export type ReadDeps = { db: Db; catalogCache: CatalogCache };

/**
 * The exercises that a list searches, and the audience of its answer. Both come from one cache
 * lookup: if they were decided separately, with an `await` in between, one user's exercises could
 * be cached for everyone.
 */
export type View = { scope: "system" | "user" | "all"; audience: Audience };

const CATALOG_ONLY: View = { scope: "system", audience: null };

/**
 * The view of an actor who asks for `scope`: the catalog only, if the cache knows that the actor
 * owns no exercise.
 */
export function viewFor(
  catalogCache: CatalogCache,
  { userId }: Actor,
  scope: NonNullable<ListExercises["scope"]> = "all",
): View {
  const isCatalogOnly =
    scope === "system" || (scope === "all" && catalogCache.get(OWNS_NOTHING, userId) !== undefined);
  return isCatalogOnly ? CATALOG_ONLY : { scope, audience: userId };
}

/** One page of the exercises in `view` that match the query. */
export async function listExercises(
  deps: ReadDeps,
  { userId }: Actor,
  query: ListExercises,
  view: View,
): Promise<ComputedAnswer> {
  const { searchString, currentPage: _page, pageSize: _size, ...filters } = query;
  const search = await searchFor(deps, searchString);
  const window = pageWindow(query);
  const criteria = { ...filters, scope: view.scope, userId, search };
  const { documents, total, ownCount } = await listDocuments(deps.db, criteria, window);
  return { json: pageJson(documents, window, total), ...audienceOf(view, userId, ownCount) };
}

/** Counts the exercises in `view` that match the query by each value that can be filtered by. */
export async function countByFacet(
  deps: ReadDeps,
  { userId }: Actor,
  query: FacetQuery,
  view: View,
): Promise<ComputedAnswer> {
  const { searchString, ...filters } = query;
  const search = await searchFor(deps, searchString);
  const criteria = { ...filters, scope: view.scope, userId, search };
  const { facets, ownCount } = await countFacets(deps.db, criteria);
  return { json: JSON.stringify(facets), ...audienceOf(view, userId, ownCount) };
}

/** The cache entry that marks a user who owns no exercise. Every list looks it up. */
const OWNS_NOTHING = "owns nothing";

/**
 * The audience of an answer from `view`: everyone, if the user owns none of the exercises that it
 * searched.
 */
function audienceOf(
  { scope, audience }: View,
  userId: string,
  ownCount: number,
): Omit<ComputedAnswer, "json"> {
  if (audience === null || scope !== "all" || ownCount > 0) return { audience };
  return {
    audience: null,
    also: [{ key: OWNS_NOTHING, audience: userId, value: true, bytes: 200 }],
  };
}

/** Matches the words of `searchString` against the catalog; null if it contains none. */
async function searchFor(
  { db, catalogCache }: ReadDeps,
  searchString = "",
): Promise<Search | null> {
  const forms = [...new Set(searchForm(searchString).split(/\s+/u))].filter((form) => form !== "");
  if (forms.length === 0) return null;
  const catalog =
    catalogCache.get<CatalogSearch>(CATALOG_SEARCH, null) ??
    (await loadCatalogSearch(db, catalogCache));
  const terms = forms.map(catalog.termOf);
  return { terms, catalog: catalog.match(terms) };
}

const CATALOG_SEARCH = "search of the catalog";

const loadCatalogSearch = (db: Db, catalogCache: CatalogCache) =>
  catalogCache.load(CATALOG_SEARCH, null, async () => {
    const value = createCatalogSearch(await listSearchable(db));
    return { value, audience: null, bytes: value.bytes };
  });

/** One exercise of the catalog or of the actor. Throws not_found for anyone else's. */
export async function getExercise(
  { db }: ReadDeps,
  { userId }: Actor,
  exerciseId: string,
): Promise<ComputedAnswer> {
  const exercise = await findDocument(db, userId, exerciseId);
  if (!exercise) throw exerciseNotFound();
  return { json: exercise.document, audience: exercise.isSystem ? null : userId };
}

/**
 * What `read` returns, or if that throws not_found, a client's own exercise by `render`. A client's
 * exercise is read from the database for each request, without the cache and its joiners, because
 * the client may withdraw the permission at any time.
 */
export async function orOfClient<T>(
  { db }: ReadDeps,
  trainer: Actor,
  exerciseId: string,
  read: () => T | Promise<T>,
  render: (document: string) => T,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AppError && error.kind === "not_found")) throw error;
    const document = await findClientsDocument(db, trainer.userId, exerciseId);
    if (document === undefined) throw error;
    return render(document);
  }
}

/** A system exercise by slug, or the actor's own by exact name; exactly one must be given. */
export async function findExercise(
  { db }: ReadDeps,
  { userId }: Actor,
  { name, slug }: { name?: string; slug?: string },
): Promise<ComputedAnswer> {
  if (name && slug) {
    const detail = "You must specify only one of the following: slug or name";
    throw new AppError("malformed", "exercises.ambiguous_criteria", detail);
  }
  if (!name && !slug) {
    const detail = "Either name or slug must be provided";
    throw new AppError("malformed", "exercises.missing_criteria", detail);
  }
  const json = slug
    ? await findSystemDocumentBySlug(db, slug)
    : await findOwnDocumentByName(db, userId, name as string);
  if (json === undefined) {
    const detail = `Exercise with '${slug || name}' not found`;
    throw new AppError("not_found", "exercises.not_found", detail);
  }
  return { json, audience: slug ? null : userId };
}

export const exerciseNotFound = () =>
  new AppError("not_found", "exercises.not_found", "Exercise not found");

/**
 * Prefixes the image paths in rendered documents with the URL of the image host. Quotes inside a
 * JSON string are escaped, so only the fields themselves can match.
 */
export function withImageHost(documents: string, cdnResourcesUrl: string): string {
  if (cdnResourcesUrl === "") return documents;
  const host = JSON.stringify(`${cdnResourcesUrl.replace(/\/+$/, "")}/exercises`).slice(0, -1);
  return documents
    .replaceAll('"imagePathStart":"', () => `"imagePathStart":${host}`)
    .replaceAll('"imagePathEnd":"', () => `"imagePathEnd":${host}`);
}
