import { type Static, Type } from "@sinclair/typebox";
import { choice, Day, Instant, nullable, SmallId, strict, Uuid } from "../http/shapes.ts";
import { TimeZone, WorkoutSet } from "../workouts/workouts.schemas.ts";
import { FORMULAS } from "./one-rep-max.rules.ts";

const Kg = Type.Number({ minimum: 0, description: "Kilograms" });
const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });

const MISSING_REASONS = ["no_sets", "no_weighted_sets_of_1_to_12_reps", "no_sets_with_rpe"] as [
  "no_sets",
  ...string[],
];

export const ExerciseId = strict({ exerciseId: Uuid });
export const RecordsQuery = strict({
  formula: Type.Optional(
    choice([...FORMULAS], {
      default: "epley",
      description: "Of the estimated one-repetition maximum",
    }),
  ),
});

const RecordSet = {
  setId: Uuid,
  workoutId: Uuid,
  startedAt: Instant,
  weightKg: nullable(Kg),
  reps: nullable(Count),
};
export const Records = strict({
  formula: choice([...FORMULAS]),
  estimatedOneRepMax: nullable(strict({ ...RecordSet, estimatedKg: Kg })),
  estimateMissing: nullable(choice(MISSING_REASONS, { description: "Why there is no estimate" })),
  heaviest: nullable(strict(RecordSet)),
  mostReps: nullable(strict(RecordSet)),
  mostVolume: nullable(strict({ ...RecordSet, volumeKg: Kg })),
  repsAtWeight: Type.Array(strict(RecordSet), {
    maxItems: 1000,
    description: "The most at each weight, the heaviest first",
  }),
});

export const VolumeQuery = strict({
  from: Day,
  to: Day,
  by: Type.Optional(
    choice(["day", "week", "month"], {
      default: "week",
      description: "ISO weeks, with their year",
    }),
  ),
});
export type VolumeQuery = Static<typeof VolumeQuery>;

export const Volume = Type.Array(
  strict({
    period: Type.String({ maxLength: 10, description: "2026-01-31, 2026-W05 or 2026-01" }),
    muscleGroup: strict({ id: SmallId, name: Type.String({ maxLength: 100 }) }),
    volumeKg: Kg,
    hardSets: Type.Number({
      minimum: 0,
      description: "A set counts 1 for a primary muscle and ½ for a secondary one",
    }),
  }),
  { description: "By period, then by muscle; warm-ups and broken-off workouts left out" },
);

export const HistoryQuery = strict({
  ...RecordsQuery.properties,
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "The last page's nextCursor" }),
  ),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
});
export type HistoryQuery = Static<typeof HistoryQuery>;

const {
  position: _position,
  restS: _restS,
  completedAt: _completedAt,
  note: _note,
  ...setFields
} = WorkoutSet.properties;
export const History = strict({
  items: Type.Array(
    strict({
      workoutId: Uuid,
      workoutName: nullable(Type.String({ maxLength: 100 })),
      startedAt: Instant,
      timeZone: TimeZone,
      day: Type.String({ maxLength: 10, description: "Where the workout was" }),
      volumeKg: Kg,
      estimatedKg: nullable(
        Type.Number({ minimum: 0, description: "The best estimated one-repetition maximum" }),
      ),
      estimateMissing: nullable(
        choice(MISSING_REASONS, { description: "Why there is no estimate" }),
      ),
      sets: Type.Array(strict(setFields), { description: "In their order" }),
    }),
    { maxItems: 100, description: "The latest first; warm-ups do not count in the figures" },
  ),
  nextCursor: nullable(Type.String({ maxLength: 200 })),
});

export const StreaksQuery = strict({
  timeZone: Type.Optional(TimeZone),
  perWeek: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 7,
      default: 1,
      description: "Training days that make a week count",
    }),
  ),
});
export type StreaksQuery = Static<typeof StreaksQuery>;

const streak = (example: string) =>
  nullable(
    strict({
      length: Type.Integer({ minimum: 1 }),
      from: Type.String({ maxLength: 10, description: `As ${example}` }),
      to: Type.String({ maxLength: 10 }),
    }),
  );
const streaks = (example: string) => strict({ current: streak(example), longest: streak(example) });
export const Streaks = strict({
  timeZone: TimeZone,
  workoutCount: Count,
  dayCount: Count,
  days: streaks("2026-01-31"),
  weeks: streaks("2026-W05"),
});
