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

/**
 * What an archive holds, as its files say it. Things refer to one another by their place in their
 * list, from 0.
 */
const Place = Type.Integer({ minimum: 0, maximum: 1_000_000 });
/** Names from files lose the characters that names may not contain, instead of being refused. */
const Name = Type.String({ minLength: 1, maxLength: 100, normalise: "printable" });
const Title = Type.String({ ...TypedTitle, normalise: "printable" });
const EntryNames = Type.Array(Type.String({ maxLength: 100 }), { maxItems: 50 });
const Count = Type.Integer({ minimum: 0, maximum: 10_000_000 });
const Moment = Type.String({
  maxLength: 27,
  format: "date-time",
  pattern: "^[^+]*\\.\\d{6}Z$",
  description: "In UTC, to the microsecond",
});
const times = { createdAt: Moment, updatedAt: Moment };

/** Fields that a client may leave out, as an archive has them: there, and perhaps null. */
const required = <Fields extends Record<string, TSchema>>(fields: Fields) =>
  Type.Required(strict(fields)).properties;

const ExerciseReference = Type.Union([
  strict({
    system: Type.String({ maxLength: 100, description: "Slug of an exercise of the catalog" }),
  }),
  strict({ own: Place }),
  Type.Null(),
]);

const Exercise = strict({
  name: Type.String({ ...Name, minLength: 3 }),
  category: Category,
  difficulty: Difficulty,
  force: nullable(Force),
  mechanic: nullable(Mechanic),
  instructions: nullable(Type.String({ maxLength: 10_000 })),
  primaryMuscles: EntryNames,
  secondaryMuscles: EntryNames,
  equipment: EntryNames,
  ...times,
});

const {
  mode: _mode,
  sets: plannedSets,
  supersetGroup: _group,
  notes: _notes,
  ...aims
} = targetFields;
const RoutineExercise = strict({
  exercise: ExerciseReference,
  name: Name,
  mode: Mode,
  sets: plannedSets,
  ...required(aims),
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
      routine: Place,
      day: Type.Integer({ minimum: 1, maximum: 366 }),
      position: Type.Integer({ minimum: 1, maximum: 500 }),
    }),
    { maxItems: 500 },
  ),
  ...times,
});

const { id: _id, ...performed } = NewSet.properties;
const PerformedSet = strict({ ...required(performed), completedAt: nullable(Moment) });
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
  startedAt: Moment,
  endedAt: nullable(Moment),
  timeZone: TimeZone,
  bodyWeightKg: nullable(Type.Number({ minimum: 1, maximum: 700 })),
  notes: nullable(Type.String({ maxLength: 5000 })),
  plan: nullable(Place),
  planName: nullable(Title),
  routine: nullable(Place),
  routineName: nullable(Title),
  importKey: nullable(Type.String({ pattern: "^[0-9a-f]{64}$" })),
  deletedAt: nullable(Moment),
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

/** The longest archive that is taken. */
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
