import { isInstant } from "../http/formats.ts";
import {
  appendNotes,
  checkWorkoutName,
  EXERCISE_NOTES_LENGTH,
  rejectRow,
  WORKOUT_NOTES_LENGTH,
  warnCell,
} from "./cells.rules.ts";
import type {
  Columns,
  ImportedExercise,
  ImportedWorkout,
  Row,
  TrainingRow,
} from "./formats.types.ts";
import type { WallTime } from "./local-time.rules.ts";

const [MAX_EXERCISES, MAX_SETS, MAX_SETS_OF_WORKOUT] = [200, 500, 2000];

/**
 * What identifies a workout in a file, independent of the order of rows: its start as written, and
 * its name. `key` has both.
 */
export type Identity = { key: string; start: WallTime; name: string | null };

export type Grouping = {
  /** Adds a row to its workout. A rejected row changes nothing. */
  add(row: Row, identity: Identity, content: TrainingRow): void;
  /** Returns a workout after its last row; null if none of its rows was valid. */
  close(identity: Identity): ImportedWorkout | null;
};

/**
 * Groups the rows of one key into a workout, and its adjacent rows of one exercise name into an
 * exercise. Holds workouts until they are closed. A workout has at most 200 exercises, 500 sets
 * each, and 2,000 sets; further rows are rejected (`too_many`).
 */
export function createGrouping(columns: Columns): Grouping {
  const open = new Map<string, ImportedWorkout>();
  const setCounts = new Map<string, number>();
  return {
    add: (row, { key, start, name }, original) => {
      const content = withinYears(row, columns, original);
      const setCount = (setCounts.get(key) ?? 0) + (content.set ? 1 : 0);
      if (setCount > MAX_SETS_OF_WORKOUT) {
        const message = `a workout has at most ${MAX_SETS_OF_WORKOUT} sets`;
        rejectRow(row, columns.exercise, "too_many", message);
      }
      const workout = open.get(key) ?? {
        row: row.line,
        wallStart: start.toString({ smallestUnit: "second" }),
        name,
        ...content.times,
        notes: null,
        exercises: [],
      };
      if (columns.name) checkWorkoutName(row, columns.name);
      addToWorkout(row, columns, workout, content);
      if (row.error) return;
      open.set(key, workout);
      setCounts.set(key, setCount);
    },
    close: ({ key }) => {
      const workout = open.get(key) ?? null;
      open.delete(key);
      setCounts.delete(key);
      return workout;
    },
  };
}

/**
 * The row with instants that can be stored. A local time from 1900 to 2199 may be outside of these
 * years in UTC: such a start rejects the row, and such an end is left out with a warning.
 */
function withinYears(row: Row, columns: Columns, content: TrainingRow): TrainingRow {
  const { startedAt, endedAt } = content.times;
  if (!isInstant(startedAt))
    rejectRow(row, columns.start, "range", "must be from 1900 to 2199 in UTC, too");
  if (isInstant(endedAt) || row.error || content.endColumn === null) return content;
  warnCell(row, content.endColumn, "range", "must end before 2200 in UTC, too");
  return { ...content, times: { startedAt, endedAt: startedAt } };
}

function addToWorkout(
  row: Row,
  columns: Columns,
  workout: ImportedWorkout,
  { exerciseName, supersetGroup, set, ...content }: TrainingRow,
): void {
  const last = workout.exercises.at(-1);
  const exercise: ImportedExercise =
    last?.name === exerciseName
      ? last
      : { name: exerciseName, notes: null, supersetGroup, sets: [] };
  if (exercise !== last && workout.exercises.length === MAX_EXERCISES) {
    const message = `a workout has at most ${MAX_EXERCISES} exercises`;
    rejectRow(row, columns.exercise, "too_many", message);
  }
  if (set && exercise.sets.length === MAX_SETS) {
    const message = `an exercise of a workout has at most ${MAX_SETS} sets`;
    rejectRow(row, columns.exercise, "too_many", message);
  }
  if (row.error) return;
  exercise.notes = appendNotes(
    row,
    columns.exerciseNotes,
    EXERCISE_NOTES_LENGTH,
    exercise.notes,
    content.exerciseNotes,
  );
  workout.notes = appendNotes(
    row,
    columns.workoutNotes,
    WORKOUT_NOTES_LENGTH,
    workout.notes,
    content.workoutNotes,
  );
  mergeEnd(row, workout, content);
  if (supersetGroup !== exercise.supersetGroup) {
    const message = "differs from that of the exercise's first row, which counts";
    warnCell(row, "superset_id", "differs", message);
  }
  if (set) exercise.sets.push(set);
  if (exercise !== last) workout.exercises.push(exercise);
}

/** If rows have different ends, the latest wins. */
function mergeEnd(
  row: Row,
  workout: ImportedWorkout,
  { times, endColumn }: Pick<TrainingRow, "times" | "endColumn">,
): void {
  if (times.endedAt === workout.endedAt || endColumn === null) return;
  const isEmpty = times.endedAt === times.startedAt;
  if (!isEmpty && workout.exercises.length > 0 && workout.endedAt !== workout.startedAt) {
    const message = "differs from that of the workout's other rows: the later end counts";
    warnCell(row, endColumn, "differs", message);
  }
  if (Temporal.Instant.compare(times.endedAt, workout.endedAt) > 0) workout.endedAt = times.endedAt;
}
