/**
 * The longest workout: in a longer one, the clock was not stopped. `workouts_length_check` enforces
 * it, too.
 */
export const MAX_WORKOUT_S = 7 * 86_400;
