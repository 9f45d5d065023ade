import type { ImportedExercise, ImportedSet, ImportedWorkout } from "./formats.rules.ts";
import { type Row, refuse, withNote } from "./rows.rules.ts";

/** A row as every format has it. */
export type TrainingRow = {
  /** The same in consecutive rows of one workout. */
  key: string;
  /** What the row says about its workout as a whole; null, with the row refused, when it does not make sense. */
  readHead: () => Pick<ImportedWorkout, "name" | "startedAt" | "endedAt"> | null;
  workoutNotes: string | null;
  exerciseName: string;
  exerciseNotes: string | null;
  supersetGroup: number | null;
  /** Null for a row that says something about the exercise only. */
  set: ImportedSet | null;
};
/** Reads the cells of a row; null for one that says nothing about the training, and for one that it refused. */
export type RowReader = (row: Row) => TrainingRow | null;

/** Which columns to blame, and in which a workout's notes stand. */
export type Columns = { exercise: string; exerciseNotes: string; workoutNotes: string };

export const EXERCISE_NOTES_LENGTH = 1000;
export const WORKOUT_NOTES_LENGTH = 5000;
const [MOST_EXERCISES, MOST_SETS] = [200, 500];

export type Grouping = {
  /** Takes a row in; returns the workout before it once a row of another begins. A refused row changes nothing. */
  add(row: Row, read: TrainingRow): ImportedWorkout | null;
  /** The workout that no other has followed; null when there was none. */
  last(): ImportedWorkout | null;
};

/**
 * Puts rows together: consecutive ones of a key are a workout, adjacent ones of a name in it an exercise. Holds one
 * workout, of 200 exercises with 500 sets each at most; rows beyond are refused (`too_many`).
 */
export function createGrouping(columns: Columns): Grouping {
  let key: string | null = null;
  let workout: ImportedWorkout | null = null;

  function add(row: Row, read: TrainingRow): ImportedWorkout | null {
    if (workout !== null && key === read.key) {
      addToWorkout(row, columns, workout, read);
      return null;
    }
    const head = read.readHead();
    if (head === null) return null;
    const before = workout;
    key = read.key;
    workout = { row: row.line, ...head, notes: null, exercises: [] };
    addToWorkout(row, columns, workout, read);
    return before;
  }

  return { add, last: () => workout };
}

function addToWorkout(row: Row, columns: Columns, workout: ImportedWorkout, read: TrainingRow): void {
  const last = workout.exercises.at(-1);
  const exercise: ImportedExercise =
    last?.name === read.exerciseName
      ? last
      : { name: read.exerciseName, notes: null, supersetGroup: read.supersetGroup, sets: [] };
  const notes = withNote(row, columns.exerciseNotes, EXERCISE_NOTES_LENGTH, exercise.notes, read.exerciseNotes);
  const ofWorkout = withNote(row, columns.workoutNotes, WORKOUT_NOTES_LENGTH, workout.notes, read.workoutNotes);
  if (exercise !== last && workout.exercises.length === MOST_EXERCISES) {
    refuse(row, columns.exercise, "too_many", `a workout has at most ${MOST_EXERCISES} exercises`);
  }
  if (read.set && exercise.sets.length === MOST_SETS) {
    refuse(row, columns.exercise, "too_many", `an exercise of a workout has at most ${MOST_SETS} sets`);
  }
  if (row.error) return;
  exercise.notes = notes;
  workout.notes = ofWorkout;
  if (read.set) exercise.sets.push(read.set);
  if (exercise !== last) workout.exercises.push(exercise);
}
