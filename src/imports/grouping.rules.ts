import { isInstant } from "../http/formats.ts";
import type { Columns, ImportedExercise, ImportedSet, ImportedWorkout } from "./formats.rules.ts";
import type { WallTime } from "./local-time.rules.ts";
import { nameIn, noteCell, type Row, refuse, withNote } from "./rows.rules.ts";

/** A row as every format has it. */
export type TrainingRow = {
  times: Pick<ImportedWorkout, "startedAt" | "endedAt">;
  /** The column that says when the workout ended. */
  endColumn: string | null;
  workoutNotes: string | null;
  exerciseName: string;
  exerciseNotes: string | null;
  supersetGroup: number | null;
  /** Null for a row about the exercise only. */
  set: ImportedSet | null;
};
/**
 * Reads the cells of a row of a workout that began at `start`; null for an empty or refused row.
 */
export type RowReader = (row: Row, start: WallTime) => TrainingRow | null;

export const EXERCISE_NOTES_LENGTH = 1000;
export const WORKOUT_NOTES_LENGTH = 5000;
const [MAX_EXERCISES, MAX_SETS, MAX_SETS_OF_WORKOUT] = [200, 500, 2000];

/**
 * The identity of a workout in a file, wherever its rows are: its start as written, and its name.
 * `key` has both.
 */
export type Identity = { key: string; start: WallTime; name: string | null };

export type Grouping = {
  /** Adds a row to its workout. A refused row changes nothing. */
  add(row: Row, identity: Identity, read: TrainingRow): void;
  /** Returns a workout after its last row; null if none of its rows was valid. */
  close(identity: Identity): ImportedWorkout | null;
};

/**
 * Groups rows: those of one key into a workout, and of these adjacent ones of one name into an
 * exercise. Holds workouts until they are closed. A workout has at most 200 exercises, 500 sets
 * each, and 2,000 sets; further rows are refused (`too_many`).
 */
export function createGrouping(columns: Columns): Grouping {
  const open = new Map<string, ImportedWorkout>();
  const setCounts = new Map<string, number>();
  return {
    add: (row, { key, start, name }, given) => {
      const read = withinYears(row, columns, given);
      const setCount = (setCounts.get(key) ?? 0) + (read.set ? 1 : 0);
      if (setCount > MAX_SETS_OF_WORKOUT) {
        refuse(
          row,
          columns.exercise,
          "too_many",
          `a workout has at most ${MAX_SETS_OF_WORKOUT} sets`,
        );
      }
      const workout = open.get(key) ?? {
        row: row.line,
        wallStart: start.toString({ smallestUnit: "second" }),
        name,
        ...read.times,
        notes: null,
        exercises: [],
      };
      if (columns.name) nameIn(row, columns.name);
      addToWorkout(row, columns, workout, read);
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
 * The row with times that can be kept: a day of a file from 1900 to 2199 may be outside of these
 * years in UTC, and so may an end. The row is refused when it starts there, and loses an end there
 * with a note.
 */
function withinYears(row: Row, columns: Columns, read: TrainingRow): TrainingRow {
  const { startedAt, endedAt } = read.times;
  if (!isInstant(startedAt))
    refuse(row, columns.start, "range", "must be from 1900 to 2199 in UTC, too");
  if (isInstant(endedAt) || row.error || read.endColumn === null) return read;
  noteCell(row, read.endColumn, "range", "must end before 2200 in UTC, too");
  return { ...read, times: { startedAt, endedAt: startedAt } };
}

function addToWorkout(
  row: Row,
  columns: Columns,
  workout: ImportedWorkout,
  read: TrainingRow,
): void {
  const last = workout.exercises.at(-1);
  const exercise: ImportedExercise =
    last?.name === read.exerciseName
      ? last
      : { name: read.exerciseName, notes: null, supersetGroup: read.supersetGroup, sets: [] };
  if (exercise !== last && workout.exercises.length === MAX_EXERCISES) {
    refuse(row, columns.exercise, "too_many", `a workout has at most ${MAX_EXERCISES} exercises`);
  }
  if (read.set && exercise.sets.length === MAX_SETS) {
    refuse(
      row,
      columns.exercise,
      "too_many",
      `an exercise of a workout has at most ${MAX_SETS} sets`,
    );
  }
  if (row.error) return;
  exercise.notes = withNote(
    row,
    columns.exerciseNotes,
    EXERCISE_NOTES_LENGTH,
    exercise.notes,
    read.exerciseNotes,
  );
  workout.notes = withNote(
    row,
    columns.workoutNotes,
    WORKOUT_NOTES_LENGTH,
    workout.notes,
    read.workoutNotes,
  );
  addEnd(row, workout, read);
  if (read.supersetGroup !== exercise.supersetGroup) {
    noteCell(
      row,
      "superset_id",
      "differs",
      "differs from that of the exercise's first row, which counts",
    );
  }
  if (read.set) exercise.sets.push(read.set);
  if (exercise !== last) workout.exercises.push(exercise);
}

/** If rows have different ends, the latest wins. */
function addEnd(row: Row, workout: ImportedWorkout, { times, endColumn }: TrainingRow): void {
  if (times.endedAt === workout.endedAt || endColumn === null) return;
  const isEmpty = times.endedAt === times.startedAt;
  if (!isEmpty && workout.exercises.length > 0 && workout.endedAt !== workout.startedAt) {
    noteCell(
      row,
      endColumn,
      "differs",
      "differs from that of the workout's other rows: the later end counts",
    );
  }
  if (Temporal.Instant.compare(times.endedAt, workout.endedAt) > 0) workout.endedAt = times.endedAt;
}
