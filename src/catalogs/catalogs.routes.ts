import type { Db } from "#db/client.ts";
import { AppError } from "../errors.ts";
import { type Operation, operation } from "../http/operation.ts";
import { tagged } from "../http/reply.ts";
import { type CatalogTable, findCatalogEntryJson, listCatalogJson } from "./catalogs.queries.ts";
import { CatalogEntries, CatalogEntry, CatalogId, ListCatalog } from "./catalogs.schemas.ts";

type Catalog = {
  table: CatalogTable;
  path: string;
  tag: string;
  one: string;
  many: string;
  noun: string;
  code: string;
};

const CATALOGS: Catalog[] = [
  {
    table: "equipment",
    path: "equipment",
    tag: "Equipment",
    one: "Equipment",
    many: "Equipment",
    noun: "Equipment",
    code: "equipment",
  },
  {
    table: "muscle_groups",
    path: "muscle-groups",
    tag: "Muscle Groups",
    one: "MuscleGroup",
    many: "MuscleGroups",
    noun: "Muscle group",
    code: "muscle_groups",
  },
  {
    table: "exercise_tags",
    path: "exercise-tags",
    tag: "Exercise Tags",
    one: "ExerciseTag",
    many: "ExerciseTags",
    noun: "Exercise tag",
    code: "exercise_tags",
  },
];

export const catalogRoutes = (deps: { db: Db }): Operation[] => CATALOGS.flatMap((catalog) => routesOf(catalog, deps));

function routesOf({ table, path, tag, one, many, noun, code }: Catalog, { db }: { db: Db }): Operation[] {
  return [
    operation(
      "GET",
      `/api/v1/catalogs/${path}`,
      {
        id: `List${many}`,
        tag,
        summary: `List ${many === one ? noun.toLowerCase() : `${noun.toLowerCase()}s`}`,
        access: "active",
        query: ListCatalog,
        answers: { 200: CatalogEntries },
        isTagged: true,
      },
      async ({ query, request }) => {
        const { searchString, orderBy = "id", sortOrder = "asc" } = query;
        return tagged(
          await listCatalogJson(db, table, searchString, { orderBy, sortOrder }),
          request.headers.get("if-none-match"),
        );
      },
    ),
    operation(
      "GET",
      `/api/v1/catalogs/${path}/:id`,
      {
        id: `Get${one}`,
        tag,
        summary: `Get one ${noun.toLowerCase()}`,
        access: "active",
        params: CatalogId,
        answers: { 200: CatalogEntry },
        isTagged: true,
        problems: { 404: "There is no such id" },
      },
      async ({ params, request }) => {
        const json = await findCatalogEntryJson(db, table, params.id);
        if (json === undefined)
          throw new AppError("not_found", `${code}.not_found`, `${noun} with ID '${params.id}' not found`);
        return tagged(json, request.headers.get("if-none-match"));
      },
    ),
  ];
}
