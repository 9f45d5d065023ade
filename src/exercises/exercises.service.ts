import type { Db } from "#db/client.ts";
import type { Actor } from "../actor.ts";
import type { CatalogMemory, Remembered } from "../catalog-memory.ts";
import { AppError } from "../errors.ts";
import { pageJson, pageWindow } from "../http/page.ts";
import type { MadeAnswer } from "../http/remembered.ts";
import { type CatalogSearch, createCatalogSearch } from "./catalog-search.rules.ts";
import { countFacets, listDocuments, listSearchable, type Search } from "./exercise-list.queries.ts";
import {
  findClientsDocument,
  findDocument,
  findOwnDocumentByName,
  findSystemDocumentBySlug,
} from "./exercises.queries.ts";
import type { FacetQuestion, ListExercises } from "./exercises.schemas.ts";
import { searchForm } from "./slug.rules.ts";

export type ReadDeps = { db: Db; catalogMemory: CatalogMemory };

/** One page of what the actor may see and asks for. */
export async function listExercises(
  deps: ReadDeps,
  actor: Actor,
  query: ListExercises,
  key: Keys,
): Promise<MadeAnswer> {
  const { searchString, currentPage: _page, pageSize: _size, ...filters } = query;
  const search = await searchFor(deps, searchString);
  const window = pageWindow(query);
  const scope = scopeFor(deps.catalogMemory, actor, query.scope);
  const question = { ...filters, scope, userId: actor.userId, search };
  const { documents, total, ownCount } = await listDocuments(deps.db, question, window);
  return { json: pageJson(documents, window, total), ...keptAs(key, actor, scope, ownCount) };
}

/** How many of what the actor may see and asks for have each value that can be filtered by. */
export async function countByFacet(deps: ReadDeps, actor: Actor, query: FacetQuestion, key: Keys): Promise<MadeAnswer> {
  const { searchString, ...filters } = query;
  const search = await searchFor(deps, searchString);
  const scope = scopeFor(deps.catalogMemory, actor, query.scope);
  const { facets, ownCount } = await countFacets(deps.db, { ...filters, scope, userId: actor.userId, search });
  return { json: JSON.stringify(facets), ...keptAs(key, actor, scope, ownCount) };
}

/** Where the answer to a question is remembered: once for all, or for one asker. */
export type Keys = { shared: string; personal(): string };

/** Where to look for the answer to a question about `scope`: who owns nothing sees the catalog and no more. */
export function keyFor(memory: CatalogMemory, { userId }: Actor, scope: ListExercises["scope"], keys: Keys): string {
  if (scope === "system") return keys.shared;
  if (scope === "user") return ownOnly(keys);
  return memory.recall(ownsNothingKey(userId)) ? keys.shared : keys.personal();
}

/** What has to be looked through: for who owns nothing, as `keyFor` knows them, the catalog is all there is. */
function scopeFor(memory: CatalogMemory, { userId }: Actor, scope: ListExercises["scope"] = "all") {
  return scope === "all" && memory.recall(ownsNothingKey(userId)) ? "system" : scope;
}

/** The answer of scope `user`, which differs from that of `all`. */
const ownOnly = ({ personal }: Keys) => `${personal()} own`;

/** Where to look for one exercise: the catalog's answer is everybody's. */
export const keyOfOne = (memory: CatalogMemory, { shared, personal }: Keys): string =>
  memory.recall(shared) === undefined ? personal() : shared;

/** Where it is remembered that somebody owns nothing: asked of every list, so nothing is put together for it. */
const ownsNothingKey = (userId: string) => userId;

function keptAs({ shared, personal }: Keys, { userId }: Actor, scope: ListExercises["scope"], ownCount: number) {
  const ownsNothing: Remembered = { key: ownsNothingKey(userId), value: true, bytes: 200, ownerId: userId };
  const also = ownCount === 0 ? [ownsNothing] : [];
  const isShared = scope === "system" || (scope !== "user" && ownCount === 0);
  if (isShared) return { key: shared, ownerId: null, also };
  return { key: scope === "user" ? ownOnly({ shared, personal }) : personal(), ownerId: userId, also };
}

/** What was typed, as what to look for; null when that is nothing. */
async function searchFor({ db, catalogMemory }: ReadDeps, typed: string | undefined): Promise<Search | null> {
  const forms = [...new Set(searchForm(typed ?? "").split(/\s+/u))].filter((form) => form !== "");
  if (forms.length === 0) return null;
  const catalog = catalogMemory.recall<CatalogSearch>(CATALOG_SEARCH) ?? (await loadCatalogSearch(db, catalogMemory));
  const words = forms.map(catalog.wordOf);
  return { words, catalog: catalog.find(words) };
}

const CATALOG_SEARCH = "search of the catalog";

const loadCatalogSearch = (db: Db, memory: CatalogMemory) =>
  memory.load(CATALOG_SEARCH, null, async () => {
    const value = createCatalogSearch(await listSearchable(db));
    return { value, remember: [{ key: CATALOG_SEARCH, value, bytes: value.bytes, ownerId: null }] };
  });

/** One exercise of the catalog or of the actor's own. Throws not_found for anyone else's. */
export async function getExercise({ db }: ReadDeps, actor: Actor, exerciseId: string, key: Keys): Promise<MadeAnswer> {
  const found = await findDocument(db, actor.userId, exerciseId);
  if (!found) throw exerciseNotFound();
  return { json: found.document, ...(found.isSystem ? keptShared(key) : keptFor(key, actor)) };
}

/**
 * What `read` answers a trainer about an exercise, or else what `show` makes of a client's own. That one is asked of the
 * database each time and nobody waits for another's answer: it must not outlive what the client allows.
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
  actor: Actor,
  { name, slug }: { name?: string; slug?: string },
  key: Keys,
): Promise<MadeAnswer> {
  if (name && slug) {
    const detail = "You must specify only one of the following: slug or name";
    throw new AppError("malformed", "exercises.ambiguous_criteria", detail);
  }
  if (!name && !slug) {
    throw new AppError("malformed", "exercises.missing_criteria", "Either name or slug must be provided");
  }
  const json = slug
    ? await findSystemDocumentBySlug(db, slug)
    : await findOwnDocumentByName(db, actor.userId, name as string);
  if (json === undefined) {
    throw new AppError("not_found", "exercises.not_found", `Exercise with '${slug || name}' not found`);
  }
  return { json, ...(slug ? keptShared(key) : keptFor(key, actor)) };
}

const keptShared = ({ shared }: Keys) => ({ key: shared, ownerId: null });
const keptFor = ({ personal }: Keys, { userId }: Actor) => ({ key: personal(), ownerId: userId });

export const exerciseNotFound = () => new AppError("not_found", "exercises.not_found", "Exercise not found");

/**
 * Puts the address of the image host in front of the image paths in rendered documents. Inside a JSON string a quote is
 * always escaped, so what is replaced can only be the fields themselves.
 */
export function withImageHost(documents: string, cdnResourcesUrl: string): string {
  if (cdnResourcesUrl === "") return documents;
  const host = JSON.stringify(`${cdnResourcesUrl.replace(/\/+$/, "")}/exercises`).slice(0, -1);
  return documents
    .replaceAll('"imagePathStart":"', () => `"imagePathStart":${host}`)
    .replaceAll('"imagePathEnd":"', () => `"imagePathEnd":${host}`);
}
