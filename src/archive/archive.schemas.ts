import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Category, Difficulty, Force, Mechanic } from "../exercises/exercises.schemas.ts";
import { choice, nullable, strict, Title as TypedTitle } from "../http/shapes.ts";
import {
  Description,
  Mode,
  Notes,
  Sharing,
  SupersetGroup,
  targetFields,
} from "../routines/routines.schemas.ts";
import { NewSet, Targets, TimeZone } from "../workouts/workouts.schemas.ts";

/** Entries of an archive refer to one another by their index in their list, from 0. */
const Index = Type.Integer({ minimum: 0, maximum: 1_000_000 });
/** Characters that names may not contain are removed, instead of refusing the name. */
const Name = Type.String({ minLength: 1, maxLength: 100, normalise: "printable" });
const Title = Type.String({ ...TypedTitle, normalise: "printable" });
const CatalogNames = Type.Array(Type.String({ maxLength: 100 }), { maxItems: 50 });
const Count = Type.Integer({ minimum: 0, maximum: 10_000_000 });
const Instant = Type.String({
  maxLength: 27,
  format: "date-time",
  pattern: "^[^+]*\\.\\d{6}Z$",
  description: "In UTC, to the microsecond",
});
const times = { createdAt: Instant, updatedAt: Instant };

/** Fields that are optional for clients. In an archive they are present, possibly null. */
const required = <Fields extends Record<string, TSchema>>(fields: Fields) =>
  Type.Required(strict(fields)).properties;

const ExerciseReference = Type.Union([
  strict({
    system: Type.String({ maxLength: 100, description: "Slug of an exercise of the catalog" }),
  }),
  strict({ own: Index }),
  Type.Null(),
]);

const Exercise = strict({
  name: Type.String({ ...Name, minLength: 3 }),
  category: Category,
  difficulty: Difficulty,
  force: nullable(Force),
  mechanic: nullable(Mechanic),
  instructions: nullable(Type.String({ maxLength: 10_000 })),
  primaryMuscles: CatalogNames,
  secondaryMuscles: CatalogNames,
  equipment: CatalogNames,
  ...times,
});

const {
  mode: _mode,
  sets: plannedSets,
  supersetGroup: _group,
  notes: _notes,
  ...targets
} = targetFields;
const RoutineExercise = strict({
  exercise: ExerciseReference,
  name: Name,
  mode: Mode,
  sets: plannedSets,
  ...required(targets),
  supersetGroup: nullable(SupersetGroup),
  notes: nullable(Notes),
});
const Routine = strict({
  name: Title,
  description: nullable(Description),
  sharing: Sharing,
  exercises: Type.Array(RoutineExercise, { maxItems: 100 }),
  ...times,
});

const Plan = strict({
  name: Title,
  description: nullable(Description),
  difficulty: nullable(Difficulty),
  sharing: Sharing,
  weeks: nullable(Type.Integer({ minimum: 1, maximum: 104 })),
  routines: Type.Array(
    strict({
      routine: Index,
      day: Type.Integer({ minimum: 1, maximum: 366 }),
      position: Type.Integer({ minimum: 1, maximum: 500 }),
    }),
    { maxItems: 500 },
  ),
  ...times,
});

const { id: _id, ...performed } = NewSet.properties;
const PerformedSet = strict({ ...required(performed), completedAt: nullable(Instant) });
const WorkoutExercise = strict({
  exercise: ExerciseReference,
  name: Name,
  mode: Mode,
  targets: nullable(Targets),
  supersetGroup: nullable(SupersetGroup),
  notes: nullable(Notes),
  sets: Type.Array(PerformedSet, { maxItems: 500 }),
});
const Workout = strict({
  name: nullable(Title),
  status: choice(["in_progress", "completed", "aborted"]),
  startedAt: Instant,
  endedAt: nullable(Instant),
  timeZone: TimeZone,
  bodyWeightKg: nullable(Type.Number({ minimum: 1, maximum: 700 })),
  notes: nullable(Type.String({ maxLength: 5000 })),
  plan: nullable(Index),
  planName: nullable(Title),
  routine: nullable(Index),
  routineName: nullable(Title),
  importKey: nullable(Type.String({ pattern: "^[0-9a-f]{64}$" })),
  deletedAt: nullable(Instant),
  exercises: Type.Array(WorkoutExercise, { maxItems: 200 }),
  ...times,
});

/** The lists of an archive, by the names of their files. */
export const LISTS = {
  exercises: Type.Array(Exercise, { maxItems: 100_000 }),
  routines: Type.Array(Routine, { maxItems: 100_000 }),
  plans: Type.Array(Plan, { maxItems: 100_000 }),
  workouts: Type.Array(Workout, { maxItems: 1_000_000 }),
};
export type ArchiveLists = { [Name in keyof typeof LISTS]: Static<(typeof LISTS)[Name]> };
export type ArchivedReference = Static<typeof ExerciseReference>;

export const Manifest = strict({
  format: Type.Literal("irontrack-archive"),
  version: Type.Literal(1),
  counts: strict({ exercises: Count, routines: Count, plans: Count, workouts: Count, sets: Count }),
  files: Type.Array(
    strict({
      name: Type.String({ maxLength: 100 }),
      bytes: Type.Integer({ minimum: 0 }),
      sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    }),
    { maxItems: 10 },
  ),
});
export type Manifest = Static<typeof Manifest>;

/** The media type and maximum size of an uploaded archive. */
export const ARCHIVE_FILE = { type: "application/zip", maxBytes: 16 * 2 ** 20 };
export const Archive = Type.String({
  description: "A zip of manifest.json, four lists and sets.csv",
});
export const ArchiveReport = strict({
  imported: Manifest.properties.counts,
  unknown: Type.Array(Type.String({ maxLength: 200 }), {
    maxItems: 100,
    description:
      "Exercises, muscles and equipment that are not in this catalog: exercises keep their name, the rest is left out",
  }),
});
