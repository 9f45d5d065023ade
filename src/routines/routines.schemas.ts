import { type Static, Type } from "@sinclair/typebox";
import { pageFields } from "../http/page.ts";
import { choice, Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";

export const MODES = ["reps", "time", "distance", "sets_only"] as const;
export const Mode = choice([...MODES], { description: "What a set is counted in" });
export const Sharing = choice(["private", "shared", "public"], {
  description:
    "Private: the owner only; shared: whoever has a grant; public: everybody may read. A trainer whom the owner lets write their plans may write each of them",
});
export const Description = Type.String({ maxLength: 2000 });
export const Notes = Type.String({ maxLength: 1000 });
export const Weight = Type.Number({
  minimum: 0,
  maximum: 2000,
  description: "Kept to three decimals",
});
export const WeightUnit = choice(["kg", "lb"]);
export const Rpe = Type.Number({
  minimum: 1,
  maximum: 10,
  multipleOf: 0.5,
  description: "Rate of perceived exertion",
});
export const Rir = Type.Integer({ minimum: 0, maximum: 20, description: "Repetitions in reserve" });
export const RestS = Type.Integer({ minimum: 0, maximum: 3600 });
export const SupersetGroup = Type.Integer({
  minimum: 1,
  maximum: 50,
  description: "Exercises of one number alternate",
});
const optional = <Schema extends Parameters<typeof nullable>[0]>(schema: Schema) =>
  Type.Optional(nullable(schema));
const Reps = Type.Integer({ minimum: 1, maximum: 10_000 });

export const targetFields = {
  mode: Mode,
  sets: Type.Integer({ minimum: 1, maximum: 100 }),
  repsMin: optional(Reps),
  repsMax: optional(Reps),
  weight: optional(Weight),
  weightUnit: optional(WeightUnit),
  timeS: optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
  distanceM: optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  rpe: optional(Rpe),
  rir: optional(Rir),
  restS: optional(RestS),
  tempo: optional(
    Type.String({
      pattern: "^[0-9X]{3,4}$",
      description: "Seconds down, pause, up, pause; X: explosive",
    }),
  ),
  supersetGroup: optional(SupersetGroup),
  notes: optional(Notes),
};

export const NewRoutineExercise = strict({
  exerciseId: Type.Optional(nullable(Uuid)),
  exerciseName: Type.Optional(
    Type.String({ ...Title, description: "Of an exercise that is gone" }),
  ),
  ...targetFields,
});
export type NewRoutineExercise = Static<typeof NewRoutineExercise>;

export const NewRoutine = strict({
  id: Type.Optional(Uuid),
  name: Title,
  description: Type.Optional(nullable(Description)),
  sharing: Type.Optional(Sharing),
  exercises: Type.Array(NewRoutineExercise, { maxItems: 100, description: "In their order" }),
});
export type NewRoutine = Static<typeof NewRoutine>;

const { id: _id, ...replaceable } = NewRoutine.properties;
export const RoutinePatch = Type.Partial(strict(replaceable), { additionalProperties: false });
export type RoutinePatch = Static<typeof RoutinePatch>;

export const CloneRoutine = strict({ id: Type.Optional(Uuid), name: Type.Optional(Title) });

const required = <Schema extends Parameters<typeof nullable>[0]>(schema: Schema) =>
  nullable(schema);
export const RoutineExercise = strict({
  id: Uuid,
  position: Type.Integer({ minimum: 1, maximum: 100 }),
  exerciseId: required(Uuid),
  exerciseName: Type.String({ maxLength: 100 }),
  mode: Mode,
  sets: targetFields.sets,
  repsMin: required(Reps),
  repsMax: required(Reps),
  weight: required(Weight),
  weightUnit: required(WeightUnit),
  timeS: required(Type.Integer()),
  distanceM: required(Type.Integer()),
  rpe: required(Rpe),
  rir: required(Rir),
  restS: required(RestS),
  tempo: required(Type.String({ maxLength: 4 })),
  supersetGroup: required(SupersetGroup),
  notes: required(Notes),
});

export const Access = choice(["owner", "write", "read"], { description: "What the asker may do" });
const routineFields = {
  id: Uuid,
  ownerId: Uuid,
  access: Access,
  name: Title,
  description: nullable(Description),
  sharing: Sharing,
  createdAt: Instant,
  updatedAt: Instant,
  version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
};
export const Routine = strict({
  ...routineFields,
  exercises: Type.Array(RoutineExercise, { maxItems: 100 }),
});
export const RoutineSummary = strict({
  ...routineFields,
  exerciseCount: Type.Integer({ minimum: 0, maximum: 100 }),
});

export const RoutineId = strict({ routineId: Uuid });

export const listFields = {
  scope: Type.Optional(
    choice(["own", "shared", "public", "clients"], {
      default: "own",
      description: "Whose; clients: of those who let the asker, their trainer, write their plans",
    }),
  ),
  searchString: Type.Optional(
    Type.String({ maxLength: 100, normalise: "trim", description: "Part of a name" }),
  ),
  ...pageFields,
};
export const ListRoutines = strict(listFields);
