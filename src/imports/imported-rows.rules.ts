import { displayName, truncate } from "./cells.rules.ts";
import type {
  CellWarning,
  ImportedExercise,
  ImportedSet,
  ImportedWorkout,
} from "./formats.types.ts";
import { importKey } from "./import-keys.rules.ts";
import type { ImportedRows, ImportedSetRow } from "./imported-workouts.queries.ts";
import type { FileName, Report } from "./report.rules.ts";

/**
 * Workouts of a file as rows to insert, and warnings about truncated notes. Counts the sets of each
 * name in the report.
 */
export function toRows(
  { format, names }: Report,
  workouts: ImportedWorkout[],
): { rows: ImportedRows; warnings: CellWarning[] } {
  const rows: ImportedRows = { workouts: [], exercises: [], sets: [] };
  const warnings: CellWarning[] = [];
  for (const workout of workouts) {
    const workoutId = Bun.randomUUIDv7();
    rows.workouts.push({
      id: workoutId,
      key: importKey(format, workout),
      name: workout.name === null ? null : displayName(workout.name),
      started_at: workout.startedAt,
      ended_at: workout.endedAt,
      notes: workout.notes,
    });
    for (const [index, exercise] of workout.exercises.entries()) {
      const fileName = names.get(exercise.name) as FileName;
      fileName.setCount += exercise.sets.length;
      const exerciseRowId = Bun.randomUUIDv7();
      const mode = modeOf(exercise);
      rows.exercises.push({
        id: exerciseRowId,
        workout_id: workoutId,
        position: index + 1,
        exercise_id: fileName.match?.exerciseId ?? null,
        exercise_name: fileName.match?.exerciseName ?? displayName(exercise.name) ?? exercise.name,
        file_name: exercise.name,
        mode,
        superset_group: exercise.supersetGroup,
        notes: exercise.notes,
      });
      for (const [setIndex, original] of exercise.sets.entries()) {
        const { set, warning } = inMode(original, mode);
        if (warning) warnings.push(warning);
        rows.sets.push(toSetRow(exerciseRowId, mode, setIndex + 1, set));
      }
    }
  }
  return { rows, warnings };
}

const toSetRow = (
  exerciseRowId: string,
  mode: Mode,
  position: number,
  set: ImportedSet,
): ImportedSetRow => ({
  workout_exercise_id: exerciseRowId,
  mode,
  position,
  type: set.type,
  weight: set.weight,
  weight_unit: set.weightUnit,
  reps: set.reps,
  time_s: set.timeS,
  distance_m: set.distanceM,
  rpe: set.rpe,
  note: set.note,
});

type Mode = "reps" | "time" | "distance" | "sets_only";
const MODE_OF_METRIC = { reps: "reps", timeS: "time", distanceM: "distance" } as const;
const UNIT_OF_METRIC = { reps: "repetitions", timeS: "s", distanceM: "m" } as const;
type Metric = keyof typeof MODE_OF_METRIC;

/** The metric of an exercise's sets: repetitions if there are any, else distance, else time. */
export function modeOf({ sets }: ImportedExercise): Mode {
  const has = (metric: Metric) => sets.some((set) => set[metric] !== null);
  if (has("reps")) return "reps";
  if (has("distanceM")) return "distance";
  return has("timeS") ? "time" : "sets_only";
}

const NOTE_LENGTH = 500;

/**
 * A set with only the metric of its exercise's mode. The others, and assistance, are appended to
 * its note; `warning` says so if that truncated the note.
 */
export function inMode(
  original: ImportedSet,
  mode: Mode,
): { set: ImportedSet; warning: CellWarning | null } {
  const set = { ...original };
  const additions: string[] = set.assisted === null ? [] : [set.assisted];
  for (const metric of Object.keys(MODE_OF_METRIC) as Metric[]) {
    if (MODE_OF_METRIC[metric] === mode || set[metric] === null) continue;
    additions.push(`${set[metric]} ${UNIT_OF_METRIC[metric]}`);
    set[metric] = null;
  }
  const maxLength = NOTE_LENGTH - additions.reduce((sum, text) => sum + text.length + 2, 0);
  const fullNote = set.note ?? "";
  const note = truncate(fullNote, additions.length === 0 ? NOTE_LENGTH : maxLength);
  set.note = [note, ...additions].filter((part) => part !== "").join(", ") || null;
  if (note === fullNote) return { set, warning: null };
  const message = `the note of the set is kept up to ${maxLength} characters, for what else stands in it`;
  return { set, warning: { row: set.row, column: "notes", code: "too_long", message } };
}
