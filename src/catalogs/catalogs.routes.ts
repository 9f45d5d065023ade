import { answerFromCache, cacheKey } from "../cache/cached-answers.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import { CatalogEntries, CatalogEntry } from "../exercises/exercises.schemas.ts";
import { createdJson, noContent, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listCatalogJson } from "./catalogs.queries.ts";
import { CatalogEntryPatch, CatalogId, ListCatalog, NewCatalogEntry } from "./catalogs.schemas.ts";
import {
  addEntry,
  type CatalogDeps,
  type CatalogNames,
  getEntry,
  removeEntry,
  renameEntry,
} from "./catalogs.service.ts";

type Catalog = CatalogNames & { path: string; tag: string; singular: string; plural: string };
type Deps = CatalogDeps & { catalogCache: CatalogCache };

const CATALOGS: Catalog[] = [
  {
    table: "equipment",
    path: "equipment",
    tag: "Equipment",
    singular: "Equipment",
    plural: "Equipment",
    noun: "Equipment",
    withArticle: "An equipment",
  },
  {
    table: "muscle_groups",
    path: "muscle-groups",
    tag: "Muscle Groups",
    singular: "MuscleGroup",
    plural: "MuscleGroups",
    noun: "Muscle group",
    withArticle: "A muscle group",
  },
  {
    table: "exercise_tags",
    path: "exercise-tags",
    tag: "Exercise Tags",
    singular: "ExerciseTag",
    plural: "ExerciseTags",
    noun: "Exercise tag",
    withArticle: "An exercise tag",
  },
];

export const catalogRoutes = (deps: Deps): Operation[] =>
  CATALOGS.flatMap((catalog) => [...readRoutes(catalog, deps), ...writeRoutes(catalog, deps)]);

function readRoutes(catalog: Catalog, deps: Deps): Operation[] {
  const { table, path, tag, singular, plural, noun } = catalog;
  return [
    operation(
      "GET",
      `/api/v1/catalogs/${path}`,
      {
        id: `List${plural}`,
        tag,
        summary: `List ${plural === singular ? noun.toLowerCase() : `${noun.toLowerCase()}s`}`,
        access: "active",
        query: ListCatalog,
        answers: { 200: CatalogEntries },
        isTagged: true,
        isCached: true,
      },
      ({ query, request }) => {
        const { searchString, orderBy = "id", sortOrder = "asc" } = query;
        const key = cacheKey(path, query);
        return answerFromCache(deps.catalogCache, request, key, null, async () => {
          const json = await listCatalogJson(deps.db, table, searchString, { orderBy, sortOrder });
          return { json, audience: null };
        });
      },
    ),
    operation(
      "GET",
      `/api/v1/catalogs/${path}/:id`,
      {
        id: `Get${singular}`,
        tag,
        summary: `Get one ${noun.toLowerCase()}`,
        access: "active",
        params: CatalogId,
        answers: { 200: CatalogEntry },
        isTagged: true,
        isCached: true,
        problems: { 404: "There is no such id" },
      },
      ({ params: { id }, request }) =>
        answerFromCache(deps.catalogCache, request, `${path}/${id}`, null, async () => ({
          json: await getEntry(deps, catalog, id),
          audience: null,
        })),
    ),
  ];
}

function writeRoutes(catalog: Catalog, deps: Deps): Operation[] {
  const { path, tag, singular } = catalog;
  const noun = catalog.noun.toLowerCase();
  const spec = { tag, access: "superuser" } as const;
  return [
    operation(
      "POST",
      `/api/v1/catalogs/${path}`,
      {
        ...spec,
        id: `Create${singular}`,
        summary: `Create ${catalog.withArticle.toLowerCase()}`,
        body: NewCatalogEntry,
        answers: { 201: CatalogEntry },
        problems: { 409: "The name is taken" },
      },
      async ({ body }) => createdJson(await addEntry(deps, catalog, body.name)),
    ),
    operation(
      "PATCH",
      `/api/v1/catalogs/${path}/:id`,
      {
        ...spec,
        id: `Update${singular}`,
        summary: `Rename ${catalog.withArticle.toLowerCase()}, in every exercise that shows it too`,
        params: CatalogId,
        body: CatalogEntryPatch,
        answers: { 200: CatalogEntry },
        problems: { 404: "There is no such id", 409: "The name is taken" },
      },
      async ({ params: { id }, body: { name } }) =>
        okJson(
          name === undefined
            ? await getEntry(deps, catalog, id)
            : await renameEntry(deps, catalog, id, name),
        ),
    ),
    operation(
      "DELETE",
      `/api/v1/catalogs/${path}/:id`,
      {
        ...spec,
        id: `Delete${singular}`,
        summary: `Delete ${catalog.withArticle.toLowerCase()} that no exercise refers to`,
        params: CatalogId,
        answers: { 204: null },
        problems: { 404: "There is no such id", 409: `An exercise refers to the ${noun}` },
      },
      async ({ params }) => {
        await removeEntry(deps, catalog, params.id);
        return noContent();
      },
    ),
  ];
}
