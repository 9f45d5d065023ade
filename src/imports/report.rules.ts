import type { SimilarExercise } from "../exercises/similar-names.rules.ts";
import type { CellWarning, Format, Ignored, ImportedWorkout, RowError } from "./formats.types.ts";
import type { DifferingWorkout } from "./imported-workouts.queries.ts";
import type { ExerciseMatch } from "./names.queries.ts";

const MAX_LISTED = 100;

/** An exercise name of the file: the number of its sets, and the exercise it means, if known. */
export type FileName = { setCount: number; match: ExerciseMatch | undefined };

/**
 * The counts and findings of a file so far. Each list has the first 100 entries; the counts include
 * all.
 */
export type Report = {
  format: Format;
  ignored: Ignored;
  names: Map<string, FileName>;
  added: { workouts: number; sets: number };
  known: number;
  differing: object[];
  differingCount: number;
  replacedCount: number;
  errors: RowError[];
  errorCount: number;
  cells: CellWarning[];
  cellCount: number;
};

export const createReport = ({ format, ignored }: Pick<Report, "format" | "ignored">): Report => ({
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
export function addError(report: Report, error: RowError): void {
  report.errorCount++;
  if (report.errors.length < MAX_LISTED) report.errors.push(error);
}

/** Adds a cell that was not stored as it is. */
export function addCellWarning(report: Report, warning: CellWarning): void {
  report.cellCount++;
  if (report.cells.length < MAX_LISTED) report.cells.push(warning);
}

/** Adds a known workout whose content differs in the file. */
export function addDiffering(
  report: Report,
  { row, startedAt, name }: ImportedWorkout,
  { workoutId, isChanged }: DifferingWorkout,
  isReplaced: boolean,
): void {
  report.differingCount++;
  if (isReplaced) report.replacedCount++;
  if (report.differing.length < MAX_LISTED) {
    report.differing.push({ row, workoutId, name, startedAt, isChanged, isReplaced });
  }
}

/** The report of an import as JSON. */
export function reportJson(
  { names, added, known, format, ...report }: Report,
  proposals: Map<string, SimilarExercise[]>,
  { importId, dryRun }: { importId: string | null; dryRun: boolean },
): string {
  return JSON.stringify({
    importId,
    dryRun,
    format,
    workouts: { added: added.workouts, known },
    sets: added.sets,
    ...report,
    names: [...names].map(([name, { setCount, match }]) => ({
      name,
      setCount,
      exerciseId: match?.exerciseId ?? null,
      exerciseName: match?.exerciseName ?? null,
      by: match?.by ?? null,
      proposals: proposals.get(name) ?? [],
    })),
    errors: report.errors.map(({ row, lastRow = row, column = null, code, message }) => ({
      row,
      lastRow,
      column,
      code,
      message,
    })),
  });
}
