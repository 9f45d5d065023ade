import { type Static, Type } from "@sinclair/typebox";
import { choice, Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";
import { TimeZone } from "../workouts/workouts.schemas.ts";
import { FORMATS } from "./formats.rules.ts";

const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });
const Format = choice([...FORMATS]);

/** The longest file that is read: some hundred thousand sets. */
export const TRAINING_FILE = { type: "text/csv", maxBytes: 16 * 2 ** 20 };

export const ImportQuestion = strict({
  timeZone: TimeZone,
  weightUnit: Type.Optional(choice(["kg", "lb"], { description: "Of weights that the file gives no unit of" })),
  distanceUnit: Type.Optional(
    choice(["km", "mi"], { description: "Of distances that the file gives no unit of; absent: miles with pounds" }),
  ),
  dryRun: Type.Optional(Type.Boolean({ default: false, description: "Says what would be done, and does nothing" })),
});
export type ImportQuestion = Static<typeof ImportQuestion>;

const Proposal = strict({
  exerciseId: Uuid,
  exerciseName: Type.String({ maxLength: 100 }),
  similarity: Type.Number({ minimum: 0, maximum: 1 }),
});

export const ImportReport = strict({
  importId: Type.Union([Uuid, Type.Null()], { description: "To take it back by; null when nothing was added" }),
  dryRun: Type.Boolean(),
  format: Format,
  workouts: strict({
    added: Count,
    known: Type.Integer({ minimum: 0, description: "Were there already, from an earlier import" }),
  }),
  sets: Type.Integer({ minimum: 0, description: "Of the workouts that were added" }),
  names: Type.Array(
    strict({
      name: Type.String({ maxLength: 100 }),
      setCount: Count,
      exerciseId: nullable(Uuid),
      exerciseName: nullable(Type.String({ maxLength: 100 })),
      by: nullable(choice(["chosen", "name", "alias"], { description: "How it was found; null: kept as a name only" })),
      proposals: Type.Array(Proposal, {
        maxItems: 5,
        description: "For a name that was not found, the likeliest first",
      }),
    }),
    { maxItems: 2000, description: "Names of exercises in the file, in the order of their first set" },
  ),
  errors: Type.Array(
    strict({
      row: Type.Integer({ minimum: 1, description: "Line of the file, from 1" }),
      code: Type.String({ maxLength: 100 }),
      message: Type.String({ maxLength: 1000 }),
    }),
    { maxItems: 100, description: "Rows that were left out, the first 100" },
  ),
  errorCount: Count,
});

export const Import = strict({
  id: Uuid,
  format: Format,
  workoutCount: Count,
  setCount: Count,
  createdAt: Instant,
  undoneAt: nullable(Instant),
});
export const Imports = Type.Array(Import, { maxItems: 1000, description: "The latest first" });
export const ImportId = strict({ importId: Uuid });
export const Undone = strict({
  trashed: Type.Integer({ minimum: 0, description: "Workouts that went to the trash" }),
  kept: Type.Integer({ minimum: 0, description: "Workouts that were changed since, and stay" }),
});

const NamedExercise = strict({
  name: Type.String({ maxLength: 100 }),
  exerciseId: Uuid,
  exerciseName: Type.String({ maxLength: 100 }),
});
export const ImportNames = Type.Array(NamedExercise, { maxItems: 5000, description: "By name" });
export const ImportNamesPatch = strict({
  names: Type.Array(strict({ name: Title, exerciseId: nullable(Uuid) }), {
    maxItems: 500,
    description: "Which exercise is meant by a name; null forgets",
  }),
});
export type ImportNamesPatch = Static<typeof ImportNamesPatch>;
