import type { SimilarExercise } from "../exercises/similar-names.rules.ts";
import type {
  CellNote,
  Format,
  Ignored,
  ImportedWorkout,
  RowError,
  Training,
} from "./formats.rules.ts";
import type { Differing } from "./imports.queries.ts";
import type { NamedExercise } from "./names.queries.ts";

const MAX_LISTED = 100;

/**
 * An exercise name of the file, the number of its sets, and the exercise it means; undefined if
 * unknown.
 */
export type NameInFile = { setCount: number; meant: NamedExercise | undefined };

/**
 * The counts and findings of a file so far. Each list has the first 100 entries; the counts include
 * all.
 */
export type Reading = {
  format: Format;
  ignored: Ignored;
  names: Map<string, NameInFile>;
  added: { workouts: number; sets: number };
  known: number;
  differing: object[];
  differingCount: number;
  replacedCount: number;
  errors: RowError[];
  errorCount: number;
  cells: CellNote[];
  cellCount: number;
};

export const newReading = ({ format, ignored }: Training): Reading => ({
  format,
  ignored,
  names: new Map(),
  added: { workouts: 0, sets: 0 },
  known: 0,
  differing: [],
  differingCount: 0,
  replacedCount: 0,
  errors: [],
  errorCount: 0,
  cells: [],
  cellCount: 0,
});

/** Adds a row that was left out. */
export function addError(reading: Reading, error: RowError): void {
  reading.errorCount++;
  if (reading.errors.length < MAX_LISTED) reading.errors.push(error);
}

/** Adds a cell that was not stored as it is. */
export function addCellNote(reading: Reading, note: CellNote): void {
  reading.cellCount++;
  if (reading.cells.length < MAX_LISTED) reading.cells.push(note);
}

/** Adds a known workout whose content differs in the file. */
export function noteDiffering(
  reading: Reading,
  { row, startedAt, name }: ImportedWorkout,
  { workoutId, isChanged }: Differing,
  isReplaced: boolean,
): void {
  reading.differingCount++;
  if (isReplaced) reading.replacedCount++;
  if (reading.differing.length < MAX_LISTED) {
    reading.differing.push({ row, workoutId, name, startedAt, isChanged, isReplaced });
  }
}

/** The report of an import as JSON. */
export function reportOf(
  { names, added, known, format, ...reading }: Reading,
  proposals: Map<string, SimilarExercise[]>,
  { importId, dryRun }: { importId: string | null; dryRun: boolean },
): string {
  return JSON.stringify({
    importId,
    dryRun,
    format,
    workouts: { added: added.workouts, known },
    sets: added.sets,
    ...reading,
    names: [...names].map(([name, { setCount, meant }]) => ({
      name,
      setCount,
      exerciseId: meant?.exerciseId ?? null,
      exerciseName: meant?.exerciseName ?? null,
      by: meant?.by ?? null,
      proposals: proposals.get(name) ?? [],
    })),
    errors: reading.errors.map(({ row, lastRow = row, column = null, code, message }) => ({
      row,
      lastRow,
      column,
      code,
      message,
    })),
  });
}
