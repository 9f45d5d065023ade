import { type Static, Type } from "@sinclair/typebox";
import {
  AwareInstant,
  choice,
  Day,
  Instant,
  nullable,
  strict,
  Title,
  Uuid,
} from "../http/shapes.ts";
import {
  Mode,
  Notes,
  RestS,
  Rir,
  Rpe,
  SupersetGroup,
  targetFields,
  Weight,
  WeightUnit,
} from "../routines/routines.schemas.ts";

const optional = <Schema extends Parameters<typeof nullable>[0]>(schema: Schema) =>
  Type.Optional(nullable(schema));
/** Sums of 32-bit numbers. */
const Sum = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });
const Note = Type.String({ maxLength: 500 });
const Status = choice(["in_progress", "completed", "aborted"]);
const BodyWeightKg = Type.Number({ minimum: 1, maximum: 700 });
const WorkoutNotes = Type.String({ maxLength: 5000 });
export const TimeZone = Type.String({
  maxLength: 64,
  format: "time-zone",
  description: "IANA name, e.g. Europe/Berlin",
});
const EndedAt = Type.String({ ...AwareInstant, description: "At most 7 days after startedAt" });
const SetType = choice(["warmup", "working", "drop", "failure", "myo", "partial"], {
  default: "working",
});

const setFields = {
  type: Type.Optional(SetType),
  weight: optional(Weight),
  weightUnit: optional(WeightUnit),
  reps: optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
  timeS: optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  distanceM: optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  rpe: optional(Rpe),
  rir: optional(Rir),
  restS: optional(RestS),
  completedAt: optional(AwareInstant),
  note: optional(Note),
};
export const NewSet = strict({ id: Type.Optional(Uuid), ...setFields });
export type NewSet = Static<typeof NewSet>;
export const SetPatch = strict({
  ...setFields,
  position: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 500, description: "Where it goes, from 1" }),
  ),
});
export type SetPatch = Static<typeof SetPatch>;

const { mode: _mode, supersetGroup: _group, notes: _notes, ...targets } = targetFields;
export const Targets = Type.Partial(strict(targets), {
  additionalProperties: false,
  description: "What was asked for, for training that began offline",
});

export const NewWorkoutExercise = strict({
  id: Type.Optional(Uuid),
  targets: optional(Targets),
  exerciseId: optional(Uuid),
  exerciseName: Type.Optional(Title),
  mode: Mode,
  supersetGroup: optional(SupersetGroup),
  notes: optional(Notes),
  sets: Type.Optional(Type.Array(NewSet, { maxItems: 500, description: "In their order" })),
});
export type NewWorkoutExercise = Static<typeof NewWorkoutExercise>;

export const NewWorkout = strict({
  id: Type.Optional(Uuid),
  name: optional(Title),
  planId: Type.Optional(Uuid),
  routineId: Type.Optional(Uuid),
  status: Type.Optional(
    choice(["in_progress", "completed", "aborted"], { description: "Absent: as endedAt says" }),
  ),
  startedAt: Type.Optional(AwareInstant),
  endedAt: Type.Optional(EndedAt),
  timeZone: TimeZone,
  bodyWeightKg: optional(BodyWeightKg),
  notes: optional(WorkoutNotes),
  exercises: Type.Optional(
    Type.Array(NewWorkoutExercise, {
      maxItems: 200,
      description: "Absent: those of the routine, with its targets",
    }),
  ),
});
export type NewWorkout = Static<typeof NewWorkout>;

const ExerciseState = strict({
  ...NewWorkoutExercise.properties,
  id: Uuid,
  sets: Type.Array(strict({ ...NewSet.properties, id: Uuid }), {
    maxItems: 500,
    description: "In their order",
  }),
});
const { id: _workoutId, ...stateFields } = NewWorkout.properties;
/**
 * A complete workout from a device that was offline, which chose the ids of its exercises and sets.
 */
export const WorkoutState = strict({
  ...stateFields,
  startedAt: AwareInstant,
  endedAt: optional(EndedAt),
  exercises: Type.Array(ExerciseState, { maxItems: 200, description: "In their order" }),
});
export type WorkoutState = Static<typeof WorkoutState>;

export const WorkoutPatch = strict({
  name: optional(Title),
  startedAt: Type.Optional(AwareInstant),
  endedAt: Type.Optional(EndedAt),
  timeZone: Type.Optional(TimeZone),
  bodyWeightKg: optional(BodyWeightKg),
  notes: optional(WorkoutNotes),
});
export type WorkoutPatch = Static<typeof WorkoutPatch>;

export const Ending = strict({ endedAt: Type.Optional(EndedAt) });
export const Nothing = strict({});

export const WorkoutSet = strict({
  id: Uuid,
  position: Count,
  type: SetType,
  weight: nullable(Weight),
  weightUnit: nullable(WeightUnit),
  weightKg: nullable(Type.Number()),
  reps: nullable(Count),
  timeS: nullable(Count),
  distanceM: nullable(Count),
  rpe: nullable(Rpe),
  rir: nullable(Rir),
  restS: nullable(RestS),
  completedAt: nullable(Instant),
  note: nullable(Note),
});

export const WorkoutExercise = strict({
  id: Uuid,
  position: Count,
  exerciseId: nullable(Uuid),
  exerciseName: Type.String({ maxLength: 100 }),
  mode: Mode,
  targets: nullable(
    Type.Record(Type.String(), Type.Unknown(), { description: "The routine's, as they were" }),
  ),
  supersetGroup: nullable(SupersetGroup),
  notes: nullable(Notes),
  sets: Type.Array(WorkoutSet, { maxItems: 500 }),
});

const workoutFields = {
  id: Uuid,
  name: nullable(Title),
  status: Status,
  planId: nullable(Uuid),
  planName: nullable(Title),
  routineId: nullable(Uuid),
  routineName: nullable(Title),
  startedAt: Instant,
  endedAt: nullable(Instant),
  durationS: nullable(Sum),
  timeZone: TimeZone,
  bodyWeightKg: nullable(BodyWeightKg),
  notes: nullable(WorkoutNotes),
  createdAt: Instant,
  updatedAt: Instant,
  version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
};
export const Workout = strict({
  ...workoutFields,
  exercises: Type.Array(WorkoutExercise, { maxItems: 200 }),
});
export const WorkoutSummary = strict({ ...workoutFields, exerciseCount: Count, setCount: Count });

export const WorkoutPage = strict({
  items: Type.Array(WorkoutSummary, { maxItems: 100 }),
  nextCursor: nullable(Type.String({ maxLength: 200 })),
});

export const ListWorkouts = strict({
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "The last page's nextCursor" }),
  ),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  from: Type.Optional(AwareInstant),
  to: Type.Optional(AwareInstant),
  exerciseId: Type.Optional(Uuid),
});
export type ListWorkouts = Static<typeof ListWorkouts>;

export const CalendarQuery = strict({ from: Day, to: Day });
export const Calendar = Type.Array(
  strict({ day: Day, workoutCount: Count, setCount: Sum, durationS: Sum }),
  {
    maxItems: 110_000,
    description: "Days with workouts, in each workout's own time zone, the first first",
  },
);

export const WorkoutId = strict({ workoutId: Uuid });
export const WorkoutExerciseId = strict({ workoutId: Uuid, workoutExerciseId: Uuid });
export const WorkoutSetId = strict({ workoutId: Uuid, setId: Uuid });
export const WorkoutExercisePatch = strict({
  position: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, description: "Where it goes, from 1" }),
  ),
  supersetGroup: optional(SupersetGroup),
  notes: optional(Notes),
});
export type WorkoutExercisePatch = Static<typeof WorkoutExercisePatch>;
