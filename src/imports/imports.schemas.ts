import { type Static, Type } from "@sinclair/typebox";
import { choice, Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";
import { TimeZone } from "../workouts/workouts.schemas.ts";
import { FORMATS } from "./formats.types.ts";

const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });
const Row = Type.Integer({ minimum: 1, description: "Line of the file, from 1" });
const Column = Type.String({ maxLength: 65_536 });
const Format = choice([...FORMATS]);

/** The media type and maximum size of an uploaded file: some hundred thousand sets. */
export const TRAINING_FILE = { type: "text/csv", maxBytes: 16 * 2 ** 20 };

export const ImportQuery = strict({
  timeZone: TimeZone,
  weightUnit: Type.Optional(
    choice(["kg", "lb"], { description: "Of weights that the file gives no unit of" }),
  ),
  distanceUnit: Type.Optional(
    choice(["km", "mi"], {
      description: "Of distances that the file gives no unit of; absent: miles with pounds",
    }),
  ),
  dateOrder: Type.Optional(
    choice(["dmy", "mdy"], {
      description:
        "Of dates like 04/05/2024: day or month first. What the file itself proves goes before it",
    }),
  ),
  language: Type.Optional(
    Type.String({
      maxLength: 35,
      pattern: "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
      description: "Of names of months that mean another month in another language, e.g. cs",
    }),
  ),
  known: Type.Optional(
    choice(["keep", "replace", "replaceChanged"], {
      default: "keep",
      description:
        "What to do with a workout from an earlier import of which the file has other sets or notes: leave it, " +
        "replace its exercises, sets and notes unless it was changed here since, or replace them in any case",
    }),
  ),
  dryRun: Type.Optional(
    Type.Boolean({ default: false, description: "Says what would be done, and does nothing" }),
  ),
});
export type ImportQuery = Static<typeof ImportQuery>;

const Proposal = strict({
  exerciseId: Uuid,
  exerciseName: Type.String({ maxLength: 100 }),
  similarity: Type.Number({ minimum: 0, maximum: 1 }),
});

export const ImportReport = strict({
  importId: Type.Union([Uuid, Type.Null()], {
    description: "To take it back by; null when nothing was added",
  }),
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
      by: nullable(
        choice(["chosen", "name", "alias"], {
          description: "How it was found; null: kept as a name only",
        }),
      ),
      proposals: Type.Array(Proposal, {
        maxItems: 5,
        description: "For a name that was not found, the likeliest first",
      }),
    }),
    {
      maxItems: 2000,
      description: "Names of exercises in the file, in the order of their first set",
    },
  ),
  differing: Type.Array(
    strict({
      row: Row,
      workoutId: Uuid,
      name: nullable(Type.String({ maxLength: 100 })),
      startedAt: Instant,
      isChanged: Type.Boolean({
        description: "It was, or may have been, changed here since it was read in",
      }),
      isReplaced: Type.Boolean(),
    }),
    {
      maxItems: 100,
      description:
        "Known workouts of which the file has other exercises, sets or notes, the first 100; see `known`",
    },
  ),
  differingCount: Count,
  replacedCount: Type.Integer({
    minimum: 0,
    description: "Of these, the replaced ones; undoing does not bring them back",
  }),
  errors: Type.Array(
    strict({
      row: Row,
      lastRow: Type.Integer({
        minimum: 1,
        description: "Where a broken record spans lines, the last of them",
      }),
      column: nullable(Column),
      code: Type.String({ maxLength: 100 }),
      message: Type.String({ maxLength: 1000 }),
    }),
    { maxItems: 100, description: "Rows that were left out, the first 100" },
  ),
  errorCount: Count,
  cells: Type.Array(
    strict({
      row: Row,
      column: Column,
      code: Type.String({ maxLength: 100 }),
      message: Type.String({ maxLength: 1000 }),
    }),
    {
      maxItems: 100,
      description:
        "Cells that were left out or kept in another form while the rest of their row was read, the first 100. " +
        "`assisted`: a weight below 0, which the set's note has as `assisted 20 kg`",
    },
  ),
  cellCount: Count,
  ignored: strict({
    columns: Type.Array(Column, {
      maxItems: 65_536,
      description: "Columns with content that is not read",
    }),
    restTimerCount: Type.Integer({
      minimum: 0,
      description: "Rows of rest timers, which are not read",
    }),
  }),
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
