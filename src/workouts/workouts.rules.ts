/**
 * The maximum length of a workout, which the constraint `workouts_length_check` enforces as well. A
 * longer one was not stopped in time.
 */
export const MAX_WORKOUT_S = 7 * 86_400;
