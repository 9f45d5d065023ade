import { makeExercise, makeSignedIn } from "./fixtures.ts";
import type { Api } from "./harness.ts";

/** A user, a system exercise, one of their own, and the body of a finished workout with both. */
export async function makeTraining(api: Api) {
  const { user, as } = await makeSignedIn(api);
  const squat = await makeExercise(api, { name: "Zq Squat" });
  const plank = await makeExercise(api, { owner: user, name: "Zq Plank" });
  const finished = {
    name: "Morning",
    startedAt: "2026-03-01T06:00:00Z",
    endedAt: "2026-03-01T07:10:30Z",
    timeZone: "Europe/Berlin",
    bodyWeightKg: 81.5,
    exercises: [
      {
        exerciseId: squat,
        mode: "reps",
        sets: [
          { type: "warmup", weight: 60, weightUnit: "kg", reps: 8 },
          {
            weight: 225,
            weightUnit: "lb",
            reps: 5,
            rpe: 8.5,
            completedAt: "2026-03-01T06:20:00.123456+00:00",
          },
        ],
      },
      { exerciseId: plank, mode: "time", sets: [{ timeS: 60 }, {}] },
      { exerciseName: "Rope climb", mode: "distance", sets: [{ distanceM: 5 }] },
    ],
  };
  return { user, as, squat, plank, finished };
}
