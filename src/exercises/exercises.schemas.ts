import { type Static, Type } from "@sinclair/typebox";
import { CatalogEntries } from "../catalogs/catalogs.schemas.ts";
import { pageFields } from "../http/page.ts";
import { choice, Instant, nullable, SmallId, strict, Uuid } from "../http/shapes.ts";

export const CATEGORIES = [
  "strength",
  "stretching",
  "plyometrics",
  "strongman",
  "powerlifting",
  "cardio",
  "olympic weightlifting",
] as const;
export const DIFFICULTIES = ["beginner", "intermediate", "expert"] as const;
export const FORCES = ["pull", "push", "static"] as const;
export const MECHANICS = ["compound", "isolation"] as const;
export const MEASURES = ["weight_reps", "reps", "time", "distance"] as const;

export const Category = choice([...CATEGORIES]);
export const Difficulty = choice([...DIFFICULTIES]);
export const Force = choice([...FORCES]);
export const Mechanic = choice([...MECHANICS]);
export const Measure = choice([...MEASURES], { description: "What a set is logged in" });
export const ExerciseName = Type.String({ minLength: 3, maxLength: 100, normalise: "name" });

const ImageUrl = nullable(
  Type.String({ maxLength: 2304, description: "Path, or URL where images are served elsewhere" }),
);

export const Exercise = strict({
  id: Uuid,
  name: ExerciseName,
  primaryMuscles: CatalogEntries,
  secondaryMuscles: CatalogEntries,
  force: nullable(Force),
  difficultyLevel: Difficulty,
  mechanic: nullable(Mechanic),
  equipment: CatalogEntries,
  category: Category,
  instructions: nullable(Type.String({ maxLength: 10_000, description: "Steps, one a line" })),
  imagePathStart: ImageUrl,
  imagePathEnd: ImageUrl,
  tags: CatalogEntries,
  slug: nullable(Type.String({ maxLength: 120 })),
  isSystemDefault: Type.Boolean(),
  createdBy: nullable(Uuid),
  createdAt: Instant,
  updatedAt: Instant,
  version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
});

export const ExerciseId = strict({ exerciseId: Uuid });

const ids = (description: string) =>
  Type.Optional(
    Type.Array(SmallId, { maxItems: 50, description: `${description}; any of them, given by repeating the key` }),
  );

export const ListExercises = strict({
  scope: Type.Optional(
    choice(["system", "user", "all"], { default: "all", description: "The catalog, one's own, or both" }),
  ),
  searchString: Type.Optional(
    Type.String({ maxLength: 100, normalise: "trim", description: "Words of names and aliases" }),
  ),
  ...pageFields,
  orderBy: Type.Optional(
    choice(["name", "difficultyLevel", "category", "createdAt", "updatedAt", "relevance"], { default: "name" }),
  ),
  sortOrder: Type.Optional(choice(["asc", "desc"], { default: "asc" })),
  primaryMuscles: ids("Ids of muscle groups"),
  secondaryMuscles: ids("Ids of muscle groups"),
  equipment: ids("Ids of equipment"),
  tags: ids("Ids of exercise tags"),
  category: Type.Optional(Category),
  difficultyLevel: Type.Optional(Difficulty),
  force: Type.Optional(Force),
  mechanic: Type.Optional(Mechanic),
});
export type ListExercises = Static<typeof ListExercises>;

export const FindExercise = strict({
  name: Type.Optional(Type.String({ maxLength: 100, normalise: "name", description: "Of one's own exercise" })),
  slug: Type.Optional(Type.String({ maxLength: 120, normalise: "trim", description: "Of a system exercise" })),
});
