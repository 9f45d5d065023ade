import type { Db } from "#db/client.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import {
  createNameIndex,
  type IndexedExercise,
  mostSimilar,
  type NameIndex,
  type SimilarExercise,
} from "../exercises/similar-names.rules.ts";
import { createPause } from "../http/pause.ts";
import { normalizeName } from "./exercise-names.rules.ts";
import { listCatalogNames, listOwnNames } from "./names.queries.ts";
import type { FileName } from "./report.rules.ts";

const CATALOG_NAMES = "names of the catalog";

/** For each unmatched name of a file, up to five exercises of similar names, most similar first. */
export type Propose = (names: Map<string, FileName>) => Promise<Map<string, SimilarExercise[]>>;

/**
 * Loads the names that proposals are made from: those of the catalog, which are cached in the
 * process, and those of `userId`'s own exercises. The returned function uses no database and does
 * not fail.
 */
export async function loadProposals(
  { db, catalogCache }: { db: Db; catalogCache: CatalogCache },
  userId: string,
): Promise<Propose> {
  const load = async () => {
    const value = createNameIndex(await listCatalogNames(db));
    return { value, audience: null, bytes: value.bytes };
  };
  const catalog =
    catalogCache.get<NameIndex>(CATALOG_NAMES, null) ??
    (await catalogCache.load(CATALOG_NAMES, null, load));
  const own = await listOwnNames(db, userId);
  return (names) => proposeFrom(catalog, own, names);
}

async function proposeFrom(
  catalog: NameIndex,
  own: IndexedExercise[],
  names: Map<string, FileName>,
) {
  const pause = createPause({ isDetached: true });
  const proposals = new Map<string, SimilarExercise[]>();
  let indexes: NameIndex[] | undefined;
  for (const [name, { match }] of names) {
    if (match) continue;
    indexes ??= [catalog, createNameIndex(own)];
    const normalized = normalizeName(name);
    proposals.set(name, mostSimilar(indexes.flatMap((index) => index.similarTo(normalized))));
    await pause();
  }
  return proposals;
}
