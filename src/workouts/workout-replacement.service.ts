import type { Db } from "#db/client.ts";
import type { Precondition } from "../http/precondition.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockWorkout } from "../permissions/parent-locks.queries.ts";
import { emptyWorkout, fillWorkout, type KeptEntry } from "./workout-replacement.queries.ts";
import type { ExerciseRow } from "./workouts.queries.ts";
import type { WorkoutState } from "./workouts.schemas.ts";
import { getWorkout, requireExercises, rowsOf, workoutNotFound } from "./workouts.service.ts";

/**
 * Writes all of a workout anew and returns it as JSON. Where it came from stays as it was, and so
 * do the names and targets of exercises that it had already. Owner only. Throws not_found, also for
 * what is in the trash, stale as `precondition` says, and what writing a whole workout throws.
 */
export function replaceWorkout(
  db: Db,
  actor: Actor,
  workoutId: string,
  { exercises: given, ...workout }: WorkoutState,
  precondition: Precondition,
): Promise<string> {
  const { exercises, sets } = rowsOf(given);
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
    const kept = new Map(
      (await emptyWorkout(tx, workoutId, columns)).map((entry) => [entry.id, entry]),
    );
    const rows = exercises.map((row) => keeping(row, kept.get(row.id ?? "")));
    const { missing } = await fillWorkout(tx, actor.userId, workoutId, rows, sets);
    requireExercises(missing, given);
    return getWorkout(tx, actor, workoutId);
  });
}

/** An exercise with the name and the targets that it had, unless it has become another. */
function keeping(row: ExerciseRow, was: KeptEntry | undefined): ExerciseRow {
  if (!was) return row;
  const targets = row.targets ?? was.targets;
  const isAnother = was.exercise_id !== null && was.exercise_id !== row.exercise_id;
  if (isAnother) return { ...row, targets };
  // Only an exercise that is nobody's goes by the name that it is given.
  const name =
    row.exercise_id === null ? (row.exercise_name ?? was.exercise_name) : was.exercise_name;
  return { ...row, targets, exercise_name: name, keeps_name: true };
}
