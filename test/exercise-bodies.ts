/** The least body of an own exercise. */
export const MINIMAL_EXERCISE = {
  name: "Zq Press",
  primaryMuscles: [1],
  difficultyLevel: "beginner",
  category: "strength",
};

/** The least body of a system exercise. */
export const SYSTEM_EXERCISE = {
  ...MINIMAL_EXERCISE,
  instructions: "Press it.\nLower it.",
  tags: [2],
};
