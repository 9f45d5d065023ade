import { makeExercise, makeSignedIn } from "./fixtures.ts";
import type { Api } from "./harness.ts";

/** Two users, a system exercise and one of the owner's, and the body of a routine with both. */
export async function makeLegDay(api: Api) {
  const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
  const squat = await makeExercise(api, { name: "Zq Squat" });
  const own = await makeExercise(api, { owner: owner.user, name: "Zq Own Press" });
  const body = {
    name: "  Leg   day ",
    description: "Heavy",
    exercises: [
      {
        exerciseId: squat,
        mode: "reps",
        sets: 5,
        repsMin: 3,
        repsMax: 5,
        weight: 102.5,
        weightUnit: "kg",
        rpe: 8.5,
        restS: 180,
        tempo: "30X1",
      },
      { exerciseId: own, mode: "time", sets: 3, timeS: 45, supersetGroup: 1, notes: "Slow" },
    ],
  };
  return { owner, other, squat, own, body };
}
