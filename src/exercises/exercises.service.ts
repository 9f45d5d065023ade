import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { ComputedAnswer } from "../cache/cached-answers.ts";
import type { Audience, CatalogCache } from "../cache/catalog-cache.ts";
import { pageJson, pageWindow } from "../http/page.ts";
import type { Actor } from "../permissions/actor.ts";
import { type CatalogSearch, createCatalogSearch } from "./catalog-search.rules.ts";
import {
  countFacets,
  listDocuments,
  listSearchable,
  type Search,
} from "./exercise-list.queries.ts";
import {
  findClientsDocument,
  findDocument,
  findOwnDocumentByName,
  findSystemDocumentBySlug,
} from "./exercises.queries.ts";
import type { FacetQuestion, ListExercises } from "./exercises.schemas.ts";
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
 * The view of an actor who asks for `scope`. An actor who is known to own no exercise sees the
 * catalog only.
 */
export function viewFor(
  memory: CatalogCache,
  { userId }: Actor,
  scope: NonNullable<ListExercises["scope"]> = "all",
): View {
  const isCatalogOnly =
    scope === "system" || (scope === "all" && memory.get(OWNS_NOTHING, userId) !== undefined);
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
  const question = { ...filters, scope: view.scope, userId, search };
  const { documents, total, ownCount } = await listDocuments(deps.db, question, window);
  return { json: pageJson(documents, window, total), ...audienceOf(view, userId, ownCount) };
}

/**
 * For each value that can be filtered by, how many of the exercises in `view` that match the query
 * have it.
 */
export async function countByFacet(
  deps: ReadDeps,
  { userId }: Actor,
  query: FacetQuestion,
  view: View,
): Promise<ComputedAnswer> {
  const { searchString, ...filters } = query;
  const search = await searchFor(deps, searchString);
  const { facets, ownCount } = await countFacets(deps.db, {
    ...filters,
    scope: view.scope,
    userId,
    search,
  });
  return { json: JSON.stringify(facets), ...audienceOf(view, userId, ownCount) };
}

/**
 * The question of the cache entry that says that a user owns no exercise; every list looks it up.
 */
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

/** What was typed, as what to look for; null when that is nothing. */
async function searchFor(
  { db, catalogCache }: ReadDeps,
  typed: string | undefined,
): Promise<Search | null> {
  const forms = [...new Set(searchForm(typed ?? "").split(/\s+/u))].filter((form) => form !== "");
  if (forms.length === 0) return null;
  const catalog =
    catalogCache.get<CatalogSearch>(CATALOG_SEARCH, null) ??
    (await loadCatalogSearch(db, catalogCache));
  const words = forms.map(catalog.wordOf);
  return { words, catalog: catalog.find(words) };
}

const CATALOG_SEARCH = "search of the catalog";

const loadCatalogSearch = (db: Db, memory: CatalogCache) =>
  memory.load(CATALOG_SEARCH, null, async () => {
    const value = createCatalogSearch(await listSearchable(db));
    return { value, audience: null, bytes: value.bytes };
  });

/** One exercise of the catalog or of the actor's own. Throws not_found for anyone else's. */
export async function getExercise(
  { db }: ReadDeps,
  { userId }: Actor,
  exerciseId: string,
): Promise<ComputedAnswer> {
  const found = await findDocument(db, userId, exerciseId);
  if (!found) throw exerciseNotFound();
  return { json: found.document, audience: found.isSystem ? null : userId };
}

/**
 * What `read` answers a trainer about an exercise, or else what `show` makes of a client's own.
 * That one is asked of the database each time and nobody waits for another's answer: it must not
 * outlive what the client allows.
 */
export async function orClients<T>(
  { db }: ReadDeps,
  actor: Actor,
  exerciseId: string,
  read: () => T | Promise<T>,
  show: (document: string) => T,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const isAbsent = error instanceof AppError && error.kind === "not_found";
    const document = isAbsent ? await findClientsDocument(db, actor.userId, exerciseId) : undefined;
    if (document === undefined) throw error;
    return show(document);
  }
}

/** A system exercise by slug, or one's own by exact name; exactly one of them must be given. */
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
    throw new AppError(
      "malformed",
      "exercises.missing_criteria",
      "Either name or slug must be provided",
    );
  }
  const json = slug
    ? await findSystemDocumentBySlug(db, slug)
    : await findOwnDocumentByName(db, userId, name as string);
  if (json === undefined) {
    throw new AppError(
      "not_found",
      "exercises.not_found",
      `Exercise with '${slug || name}' not found`,
    );
  }
  return { json, audience: slug ? null : userId };
}

export const exerciseNotFound = () =>
  new AppError("not_found", "exercises.not_found", "Exercise not found");

/**
 * Puts the address of the image host in front of the image paths in rendered documents. Inside a
 * JSON string a quote is always escaped, so what is replaced can only be the fields themselves.
 */
export function withImageHost(documents: string, cdnResourcesUrl: string): string {
  if (cdnResourcesUrl === "") return documents;
  const host = JSON.stringify(`${cdnResourcesUrl.replace(/\/+$/, "")}/exercises`).slice(0, -1);
  return documents
    .replaceAll('"imagePathStart":"', () => `"imagePathStart":${host}`)
    .replaceAll('"imagePathEnd":"', () => `"imagePathEnd":${host}`);
}
