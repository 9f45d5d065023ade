/** The longest workout: more is a clock that nobody stopped. Kept by `workouts_length_check` too. */
export const MAX_WORKOUT_S = 7 * 86_400;
