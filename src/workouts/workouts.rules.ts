/** The longest workout: a longer one is a clock that was not stopped. Kept by `workouts_length_check` too. */
export const MAX_WORKOUT_S = 7 * 86_400;
