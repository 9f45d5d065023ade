import type { Db } from "#db/client.ts";
import { violatedConstraint } from "#db/errors.ts";
import { replanForBulkInsert } from "#db/replan.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import { renderDocuments } from "../exercises/exercises.queries.ts";
import { faultsOfSet } from "../workouts/sets.rules.ts";
import type { ArchiveLists, Manifest } from "./archive.schemas.ts";
import { packArchive, unpackArchive } from "./archive-format.rules.ts";
import { listArchived } from "./export.queries.ts";
import {
  type CatalogIds,
  findCatalogIds,
  insertExercises,
  insertPlans,
  insertRoutines,
  insertWorkouts,
  lockEmptyAccount,
} from "./import.queries.ts";

/**
 * Everything that `userId` made and performed, as of one moment, as a zip; the same data is the
 * same bytes.
 */
export async function exportArchive(db: Db, userId: string): Promise<Uint8Array<ArrayBuffer>> {
  return packArchive(await listArchived(db, userId));
}

export type ArchiveReport = { imported: Manifest["counts"]; unknown: string[] };

/**
 * Writes what an archive holds into the account of `userId`, all or nothing. Throws conflict
 * (`archive.account_not_empty`) unless it has nothing, invalid as `unpackArchive` does and for what
 * the database would not keep. Five statements beside those that lock and render.
 */
export function importArchive(
  { db, invalidations }: { db: Db; invalidations: Pick<Invalidations, "publish"> },
  userId: string,
  zip: Uint8Array,
): Promise<ArchiveReport> {
  const { manifest, ...lists } = unpackArchive(zip);
  refuseMisfits(lists);
  return translate(() =>
    invalidations.publish({ exercisesOf: userId }, (invalidationMessage) =>
      db.transaction(async (tx) => {
        if (!(await lockEmptyAccount(tx, userId))) {
          throw new AppError(
            "conflict",
            "archive.account_not_empty",
            "An archive is imported into an empty account only",
          );
        }
        await replanForBulkInsert(tx);
        const catalog = await findCatalogIds(tx, slugsOf(lists));
        const make = (list: unknown[]) => list.map(() => Bun.randomUUIDv7());
        const ids = {
          exercises: make(lists.exercises),
          routines: make(lists.routines),
          plans: make(lists.plans),
        };
        await insertExercises(tx, userId, lists.exercises, ids, catalog);
        await renderDocuments(tx, ids.exercises);
        await insertRoutines(tx, userId, lists.routines, ids, catalog);
        await insertPlans(tx, userId, lists.plans, ids);
        await insertWorkouts(tx, userId, lists.workouts, ids, catalog);
        await sendInvalidation(tx, invalidationMessage);
        return { imported: manifest.counts, unknown: unknownTo(catalog, lists).slice(0, 100) };
      }),
    ),
  );
}

function slugsOf({ routines, workouts }: ArchiveLists): string[] {
  const references = [...routines, ...workouts].flatMap(({ exercises }) =>
    exercises.map(({ exercise }) => exercise),
  );
  return [
    ...new Set(references.flatMap((known) => (known && "system" in known ? [known.system] : []))),
  ];
}

/** What the archive refers to and this catalog does not have, in alphabetical order. */
function unknownTo(catalog: CatalogIds, lists: ArchiveLists): string[] {
  const muscles = lists.exercises.flatMap((one) => [
    ...one.primaryMuscles,
    ...one.secondaryMuscles,
  ]);
  const equipment = lists.exercises.flatMap((one) => one.equipment);
  const names = [
    ...slugsOf(lists).filter((slug) => !catalog.exercises.has(slug)),
    ...muscles.filter((name) => !catalog.muscles.has(name)),
    ...equipment.filter((name) => !catalog.equipment.has(name)),
  ];
  return [...new Set(names)].sort();
}

/** Throws invalid when a set has a metric that its exercise's mode does not call for. */
function refuseMisfits({ workouts }: ArchiveLists): void {
  const errors = workouts.flatMap(({ exercises }, at) =>
    exercises.flatMap(({ mode, sets }, n) =>
      sets.flatMap((set, nth) =>
        faultsOfSet(mode, set, `/workouts.json/${at}/exercises/${n}/sets/${nth}`),
      ),
    ),
  );
  if (errors.length === 0) return;
  throw new AppError("invalid", "invalid_request", "The archive does not fit", {
    errors: errors.slice(0, 100),
  });
}

const FOREIGN_KEY_VIOLATION = "23503";

/** What the database refuses to keep makes no sense in an archive, whichever rule it breaks. */
async function translate<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const constraint = violatedConstraint(error);
    const { code = "" } = postgresError(error) ?? {};
    // A broken foreign key is no fault of the archive: the row that it refers to was deleted
    // meanwhile.
    if (code === FOREIGN_KEY_VIOLATION || !["22", "23"].includes(code.slice(0, 2))) throw error;
    const which = constraint ? ` (${constraint})` : "";
    throw new AppError("invalid", "archive.refused", `The archive holds what cannot be${which}`, {
      cause: error,
    });
  }
}
