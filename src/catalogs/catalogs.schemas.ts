import { Type } from "@sinclair/typebox";
import { choice, SmallId, strict } from "../http/shapes.ts";

const EntryName = Type.String({
  minLength: 3,
  maxLength: 100,
  format: "name",
  normalise: "lower-case-name",
  description: "Kept in lower case, spaces collapsed",
});

export const NewCatalogEntry = strict({ name: EntryName });
export const CatalogEntryPatch = strict({ name: Type.Optional(EntryName) });
export const CatalogId = strict({ id: SmallId });

export const ListCatalog = strict({
  searchString: Type.Optional(Type.String({ maxLength: 100, normalise: "trim" })),
  orderBy: Type.Optional(choice(["id", "name"], { default: "id" })),
  sortOrder: Type.Optional(choice(["asc", "desc"], { default: "asc" })),
});
