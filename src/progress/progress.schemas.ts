import { type Static, Type } from "@sinclair/typebox";
import { choice, Instant, nullable, SmallId, strict, Uuid } from "../http/shapes.ts";
import { FORMULAS } from "./one-rep-max.rules.ts";

const Kg = Type.Number({ minimum: 0, description: "Kilograms" });
const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });

export const ExerciseId = strict({ exerciseId: Uuid });
export const RecordsQuestion = strict({
  formula: Type.Optional(
    choice([...FORMULAS], { default: "epley", description: "Of the estimated one-repetition maximum" }),
  ),
});

const RecordSet = { setId: Uuid, workoutId: Uuid, startedAt: Instant, weightKg: nullable(Kg), reps: nullable(Count) };
export const Records = strict({
  formula: choice([...FORMULAS]),
  estimatedOneRepMax: nullable(strict({ ...RecordSet, estimatedKg: Kg })),
  estimateMissing: nullable(
    choice(["no_sets", "no_weighted_sets_of_1_to_12_reps"], { description: "Why there is no estimate" }),
  ),
  heaviest: nullable(strict(RecordSet)),
  mostReps: nullable(strict(RecordSet)),
  mostVolume: nullable(strict({ ...RecordSet, volumeKg: Kg })),
  repsAtWeight: Type.Array(strict(RecordSet), {
    maxItems: 1000,
    description: "The most at each weight, the heaviest first",
  }),
});

const Day = Type.String({ format: "day", maxLength: 10, description: "A day of one's own time zone, e.g. 2026-01-31" });
export const VolumeQuestion = strict({
  from: Day,
  to: Day,
  by: Type.Optional(choice(["day", "week", "month"], { default: "week", description: "ISO weeks, with their year" })),
});
export type VolumeQuestion = Static<typeof VolumeQuestion>;

export const Volume = Type.Array(
  strict({
    period: Type.String({ maxLength: 10, description: "2026-01-31, 2026-W05 or 2026-01" }),
    muscleGroup: strict({ id: SmallId, name: Type.String({ maxLength: 100 }) }),
    volumeKg: Kg,
    hardSets: Type.Number({ minimum: 0, description: "A set counts 1 for a primary muscle and ½ for a secondary one" }),
  }),
  { description: "By period, then by muscle; warm-ups and broken-off workouts left out" },
);
