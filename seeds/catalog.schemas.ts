import { type Static, Type } from "@sinclair/typebox";
import {
  Category,
  Difficulty,
  ExerciseName,
  Force,
  Measure,
  Mechanic,
} from "#src/exercises/exercises.schemas.ts";
import { strict } from "#src/http/shapes.ts";

const CatalogName = Type.String({ minLength: 3, maxLength: 100, pattern: "^[a-z0-9][a-z0-9 -]*$" });
const names = (minItems: number, maxItems: number) =>
  Type.Array(CatalogName, { minItems, maxItems, uniqueItems: true });
const Step = Type.String({ minLength: 20, maxLength: 300 });

/** One of the files `equipment.yaml`, `muscle-groups.yaml`, `exercise-tags.yaml`. */
export const CatalogFile = Type.Array(CatalogName, { minItems: 1, uniqueItems: true });

export const RolesFile = Type.Array(
  strict({
    slug: Type.String({ pattern: "^[a-z][a-z0-9-]{1,49}$" }),
    name: Type.String({ minLength: 1, maxLength: 100 }),
  }),
  { minItems: 1 },
);

/** One entry of a file under `exercises/`. */
export const ExerciseEntry = strict({
  name: ExerciseName,
  aliases: Type.Optional(
    Type.Array(Type.String({ minLength: 2, maxLength: 100 }), { maxItems: 8, uniqueItems: true }),
  ),
  category: Category,
  difficulty: Difficulty,
  force: Type.Optional(Force),
  mechanic: Type.Optional(Mechanic),
  measure: Measure,
  oneSided: Type.Optional(Type.Boolean({ description: "A set is done one side at a time" })),
  equipment: names(1, 6),
  primary: names(1, 4),
  secondary: Type.Optional(names(0, 8)),
  tags: names(1, 6),
  instructions: Type.Array(Step, { minItems: 3, maxItems: 6 }),
});
export type ExerciseEntry = Static<typeof ExerciseEntry>;
export const ExercisesFile = Type.Array(ExerciseEntry, { minItems: 1 });
