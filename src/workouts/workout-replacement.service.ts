import type { Db } from "#db/client.ts";
import type { Precondition } from "../http/if-match.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockWorkout } from "../permissions/parent-locks.queries.ts";
import { clearWorkout, fillWorkout, type PreviousEntry } from "./workout-replacement.queries.ts";
import type { ExerciseRow } from "./workout-writes.queries.ts";
import type { WorkoutState } from "./workouts.schemas.ts";
import { getWorkout, requireExercises, rowsOf, workoutNotFound } from "./workouts.service.ts";

/**
 * Replaces a whole workout and returns it as JSON. Keeps its plan and routine, and the names and
 * targets of exercises that it already had. Owner only. Throws not_found, also for a workout in the
 * trash, stale as `precondition` says, and what `startWorkout` throws.
 */
export function replaceWorkout(
  db: Db,
  actor: Actor,
  workoutId: string,
  { exercises: newExercises, ...workout }: WorkoutState,
  precondition: Precondition,
): Promise<string> {
  const { exercises, sets } = rowsOf(newExercises);
  const endedAt = workout.endedAt ?? null;
  const columns = {
    name: workout.name ?? null,
    status: workout.status ?? (endedAt === null ? "in_progress" : "completed"),
    startedAt: workout.startedAt,
    endedAt,
    timeZone: workout.timeZone,
    bodyWeightKg: workout.bodyWeightKg ?? null,
    notes: workout.notes ?? null,
  };
  return db.transaction(async (tx) => {
    const stored = await lockWorkout(tx, actor.userId, workoutId);
    if (!stored || stored.isDeleted) throw workoutNotFound();
    await precondition(stored.version, () => getWorkout(tx, actor, workoutId));
    const entries = await clearWorkout(tx, workoutId, columns);
    const previous = new Map(entries.map((entry) => [entry.id, entry]));
    const rows = exercises.map((row) => withPreviousName(row, previous.get(row.id ?? "")));
    const { missing } = await fillWorkout(tx, actor.userId, workoutId, rows, sets);
    requireExercises(missing, newExercises);
    return getWorkout(tx, actor, workoutId);
  });
}

/**
 * The exercise with its previous targets, and its previous name unless it is another exercise now.
 */
function withPreviousName(row: ExerciseRow, previous: PreviousEntry | undefined): ExerciseRow {
  if (!previous) return row;
  const targets = row.targets ?? previous.targets;
  const isAnother = previous.exercise_id !== null && previous.exercise_id !== row.exercise_id;
  if (isAnother) return { ...row, targets };
  // A new name applies only if the entry refers to no exercise.
  const newName = row.exercise_id === null ? row.exercise_name : null;
  const name = newName ?? previous.exercise_name;
  return { ...row, targets, exercise_name: name, keeps_name: true };
}
