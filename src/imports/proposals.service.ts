import type { Db } from "#db/client.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import {
  createNameIndex,
  mostSimilar,
  type NamedForSearch,
  type NameIndex,
  type SimilarExercise,
} from "../exercises/similar-names.rules.ts";
import { createPause } from "../http/pause.ts";
import { nameForm } from "./imported-rows.rules.ts";
import { listCatalogNames, listOwnNames } from "./names.queries.ts";
import type { NameInFile } from "./report.rules.ts";

const CATALOG_NAMES = "names of the catalog";

/**
 * For each name of a file that means nothing, up to five exercises that are called nearly so, the
 * most similar first.
 */
export type Propose = (names: Map<string, NameInFile>) => Promise<Map<string, SimilarExercise[]>>;

/**
 * Reads what proposals are made from: the catalog, which this process has in its cache, and
 * `userId`'s own exercises. To propose then asks nothing of the database, and does not fail.
 */
export async function loadProposals(
  { db, catalogCache: memory }: { db: Db; catalogCache: CatalogCache },
  userId: string,
): Promise<Propose> {
  const load = async () => {
    const value = createNameIndex(await listCatalogNames(db));
    return { value, audience: null, bytes: value.bytes };
  };
  const catalog =
    memory.get<NameIndex>(CATALOG_NAMES, null) ?? (await memory.load(CATALOG_NAMES, null, load));
  const own = await listOwnNames(db, userId);
  return (names) => proposalsFrom(catalog, own, names);
}

async function proposalsFrom(
  catalog: NameIndex,
  own: NamedForSearch[],
  names: Map<string, NameInFile>,
) {
  const pause = createPause({ isDetached: true });
  const proposals = new Map<string, SimilarExercise[]>();
  let indexes: NameIndex[] | undefined;
  for (const [name, { meant }] of names) {
    if (meant) continue;
    indexes ??= [catalog, createNameIndex(own)];
    const form = nameForm(name);
    proposals.set(name, mostSimilar(indexes.flatMap((index) => index.similarTo(form))));
    await pause();
  }
  return proposals;
}
