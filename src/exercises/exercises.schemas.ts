import { type Static, Type } from "@sinclair/typebox";
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
export const ExerciseName = Type.String({
  minLength: 3,
  maxLength: 100,
  format: "name",
  normalise: "name",
});

/** A muscle group, a piece of equipment or a tag. */
export const CatalogEntry = strict({
  id: SmallId,
  name: Type.String({ minLength: 3, maxLength: 100 }),
});
export const CatalogEntries = Type.Array(CatalogEntry, { maxItems: 32_767 });

const Instructions = Type.String({ maxLength: 10_000, description: "Steps, one a line" });
const IMAGE_PATH = "^/[a-z0-9_-]+(/[a-z0-9_-]+)*\\.(jpg|jpeg|png|webp)$";
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
  instructions: nullable(Instructions),
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

const MuscleIds = Type.Array(SmallId, {
  minItems: 1,
  maxItems: 50,
  description: "Ids of muscle groups",
});
const ImagePath = Type.String({
  maxLength: 255,
  pattern: IMAGE_PATH,
  description: "Path under the image host",
});

/** Ids may come in any order and more than once; null and [] mean none. */
const optionalFields = {
  secondaryMuscles: Type.Optional(
    nullable(Type.Array(SmallId, { maxItems: 50, description: "Ids of muscle groups" })),
  ),
  equipment: Type.Optional(
    nullable(Type.Array(SmallId, { maxItems: 50, description: "Ids of equipment" })),
  ),
  force: Type.Optional(nullable(Force)),
  mechanic: Type.Optional(nullable(Mechanic)),
};
const requiredFields = {
  name: ExerciseName,
  primaryMuscles: MuscleIds,
  difficultyLevel: Difficulty,
  category: Category,
};
const systemFields = {
  instructions: Type.String({
    minLength: 1,
    maxLength: 10_000,
    normalise: "trim",
    description: "Steps, one a line",
  }),
  tags: Type.Array(SmallId, { minItems: 1, maxItems: 50, description: "Ids of exercise tags" }),
};
const imageFields = {
  imagePathStart: Type.Optional(nullable(ImagePath)),
  imagePathEnd: Type.Optional(nullable(ImagePath)),
};
const ownInstructions = { instructions: Type.Optional(nullable(Instructions)) };

const ownFields = { ...requiredFields, ...optionalFields, ...ownInstructions };
export const NewExercise = strict({ id: Type.Optional(Uuid), ...ownFields });
export type NewExercise = Static<typeof NewExercise>;
export const NewSystemExercise = strict({
  ...requiredFields,
  ...optionalFields,
  ...systemFields,
  ...imageFields,
});
export type NewSystemExercise = Static<typeof NewSystemExercise>;

export const ExercisePatch = Type.Partial(strict(ownFields), { additionalProperties: false });
export type ExercisePatch = Static<typeof ExercisePatch>;
export const SystemExercisePatch = Type.Partial(NewSystemExercise, { additionalProperties: false });
export type SystemExercisePatch = Static<typeof SystemExercisePatch>;

const ids = (description: string) =>
  Type.Optional(
    Type.Array(SmallId, {
      maxItems: 50,
      description: `${description}; any of them, given by repeating the key`,
    }),
  );

/** The filters of lists and facets. */
const filterFields = {
  scope: Type.Optional(
    choice(["system", "user", "all"], {
      default: "all",
      description: "The catalog, one's own, or both",
    }),
  ),
  searchString: Type.Optional(
    Type.String({
      maxLength: 100,
      normalise: "trim",
      description: "Words of names and aliases, in any order; typing errors are forgiven",
    }),
  ),
  primaryMuscles: ids("Ids of muscle groups"),
  secondaryMuscles: ids("Ids of muscle groups"),
  equipment: ids("Ids of equipment"),
  tags: ids("Ids of exercise tags"),
  category: Type.Optional(Category),
  difficultyLevel: Type.Optional(Difficulty),
  force: Type.Optional(Force),
  mechanic: Type.Optional(Mechanic),
};

export const ListExercises = strict({
  ...filterFields,
  ...pageFields,
  orderBy: Type.Optional(
    choice(["name", "difficultyLevel", "category", "createdAt", "updatedAt", "relevance"], {
      description: "By default relevance when something is searched, else name",
    }),
  ),
  sortOrder: Type.Optional(choice(["asc", "desc"], { default: "asc" })),
});
export type ListExercises = Static<typeof ListExercises>;

export const FacetQuery = strict(filterFields);
export type FacetQuery = Static<typeof FacetQuery>;

const Count = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });
const EntryCounts = Type.Array(
  strict({ id: SmallId, name: Type.String({ maxLength: 100 }), count: Count }),
);
const valueCounts = <Words extends ReturnType<typeof choice>>(value: Words) =>
  Type.Array(strict({ value, count: Count }));

/**
 * How many of the matching exercises have each value: the most frequent first, values without any
 * exercise left out.
 */
export const ExerciseFacets = strict({
  total: Count,
  primaryMuscles: EntryCounts,
  secondaryMuscles: EntryCounts,
  equipment: EntryCounts,
  tags: EntryCounts,
  category: valueCounts(Category),
  difficultyLevel: valueCounts(Difficulty),
  force: valueCounts(Force),
  mechanic: valueCounts(Mechanic),
});

export const FindExercise = strict({
  name: Type.Optional(
    Type.String({ maxLength: 100, normalise: "name", description: "Of one's own exercise" }),
  ),
  slug: Type.Optional(
    Type.String({ maxLength: 120, normalise: "trim", description: "Of a system exercise" }),
  ),
});
