import type { Db } from "#db/client.ts";
import { violatedConstraint } from "#db/errors.ts";
import { replanForBulkInsert } from "#db/replan.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import { renderDocuments } from "../exercises/exercises.queries.ts";
import { setErrors } from "../workouts/sets.rules.ts";
import type { ArchiveLists, Manifest } from "./archive.schemas.ts";
import { packArchive, unpackArchive } from "./archive-format.rules.ts";
import { listArchived } from "./export.queries.ts";
import {
  type CatalogIds,
  findCatalogIds,
  insertExercises,
  insertPlans,
  insertRoutines,
  lockEmptyAccount,
} from "./import.queries.ts";
import { insertWorkouts } from "./import-workouts.queries.ts";

/**
 * The archive of everything that `userId` owns, from one snapshot. Equal data gives equal bytes.
 */
export async function exportArchive(db: Db, userId: string): Promise<Uint8Array<ArrayBuffer>> {
  return packArchive(await listArchived(db, userId));
}

const MAX_LISTED = 100;

export type ArchiveReport = { imported: Manifest["counts"]; unknown: string[] };

/**
 * Imports an archive into the account of `userId`, all or nothing. Throws conflict
 * (`archive.account_not_empty`) if the account is not empty; invalid as `unpackArchive` does, and
 * `archive.refused` if the database refuses the content. Five statements beside those that lock and
 * render.
 */
export function importArchive(
  { db, invalidations }: { db: Db; invalidations: Pick<Invalidations, "publish"> },
  userId: string,
  zip: Uint8Array,
): Promise<ArchiveReport> {
  const { manifest, ...lists } = unpackArchive(zip);
  checkSetMetrics(lists);
  return translateRefusals(() =>
    invalidations.publish({ exercisesOf: userId }, (invalidationMessage) =>
      db.transaction(async (tx) => {
        if (!(await lockEmptyAccount(tx, userId))) {
          const detail = "An archive is imported into an empty account only";
          throw new AppError("conflict", "archive.account_not_empty", detail);
        }
        await replanForBulkInsert(tx);
        const catalog = await findCatalogIds(tx, slugsOf(lists));
        const newIds = (list: unknown[]) => list.map(() => Bun.randomUUIDv7());
        const ids = {
          exercises: newIds(lists.exercises),
          routines: newIds(lists.routines),
          plans: newIds(lists.plans),
        };
        await insertExercises(tx, userId, lists.exercises, ids, catalog);
        await renderDocuments(tx, ids.exercises);
        await insertRoutines(tx, userId, lists.routines, ids, catalog);
        await insertPlans(tx, userId, lists.plans, ids);
        await insertWorkouts(tx, userId, lists.workouts, ids, catalog);
        await sendInvalidation(tx, invalidationMessage);
        const unknown = unknownNames(lists, catalog).slice(0, MAX_LISTED);
        return { imported: manifest.counts, unknown };
      }),
    ),
  );
}

function slugsOf({ routines, workouts }: ArchiveLists): string[] {
  const slugs = [...routines, ...workouts].flatMap(({ exercises }) =>
    exercises.flatMap(({ exercise }) =>
      exercise && "system" in exercise ? [exercise.system] : [],
    ),
  );
  return [...new Set(slugs)];
}

/** Catalog entries that the archive refers to and the catalog lacks, in alphabetical order. */
function unknownNames(lists: ArchiveLists, catalog: CatalogIds): string[] {
  const muscles = lists.exercises.flatMap(({ primaryMuscles, secondaryMuscles }) => [
    ...primaryMuscles,
    ...secondaryMuscles,
  ]);
  const equipment = lists.exercises.flatMap((exercise) => exercise.equipment);
  const names = [
    ...slugsOf(lists).filter((slug) => !catalog.exercises.has(slug)),
    ...muscles.filter((name) => !catalog.muscles.has(name)),
    ...equipment.filter((name) => !catalog.equipment.has(name)),
  ];
  return [...new Set(names)].sort();
}

/** Throws invalid if a set has a metric that its exercise's mode does not allow. */
function checkSetMetrics({ workouts }: ArchiveLists): void {
  const errors = workouts.flatMap(({ exercises }, w) =>
    exercises.flatMap(({ mode, sets }, e) =>
      sets.flatMap((set, s) =>
        setErrors(mode, set, `/workouts.json/${w}/exercises/${e}/sets/${s}`),
      ),
    ),
  );
  if (errors.length === 0) return;
  throw new AppError("invalid", "invalid_request", "The archive does not fit", {
    errors: errors.slice(0, MAX_LISTED),
  });
}

const FOREIGN_KEY_VIOLATION = "23503";

/** Translates values and constraint violations that the database refuses to `archive.refused`. */
async function translateRefusals<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const constraint = violatedConstraint(error);
    const { code = "" } = postgresError(error) ?? {};
    // A foreign key violation is not caused by the archive: the row was deleted concurrently.
    if (code === FOREIGN_KEY_VIOLATION || !["22", "23"].includes(code.slice(0, 2))) throw error;
    const name = constraint ? ` (${constraint})` : "";
    throw new AppError("invalid", "archive.refused", `The archive holds what cannot be${name}`, {
      cause: error,
    });
  }
}
