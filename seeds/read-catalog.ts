import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Static, TSchema } from "@sinclair/typebox";
import { OperatorError } from "#lib/errors.ts";
import { shippedPath } from "#lib/shipped-files.ts";
import { slugOf } from "#src/exercises/slug.rules.ts";
import { faultsOf } from "#src/http/shapes.ts";
import { CatalogFile, type ExerciseEntry, ExercisesFile, RolesFile } from "./catalog.schemas.ts";

const DIRECTORY = shippedPath("seeds/catalog");

export type Catalog = {
  roles: Static<typeof RolesFile>;
  equipment: string[];
  muscleGroups: string[];
  exerciseTags: string[];
  exercises: ExerciseEntry[];
};

/**
 * Reads the catalog files. Each matches its schema, every reference exists, and slugs are unique;
 * otherwise throws an OperatorError with the file and location.
 */
export function readCatalog(): Catalog {
  const files = readdirSync(join(DIRECTORY, "exercises")).filter((file) => file.endsWith(".yaml"));
  const catalog = {
    roles: readFile("roles.yaml", RolesFile),
    equipment: readFile("equipment.yaml", CatalogFile),
    muscleGroups: readFile("muscle-groups.yaml", CatalogFile),
    exerciseTags: readFile("exercise-tags.yaml", CatalogFile),
    exercises: files.sort().flatMap((file) => readFile(join("exercises", file), ExercisesFile)),
  };
  requireConsistent(catalog);
  return catalog;
}

function requireConsistent({ exercises, ...lists }: Catalog) {
  const slugs = new Map<string, string>();
  for (const { name, primary, secondary = [], equipment, tags } of exercises) {
    const other = slugs.get(slugOf(name));
    if (other) throw new OperatorError(`seeds/catalog has ${name} twice (as ${other})`);
    slugs.set(slugOf(name), name);
    const unknown =
      [...primary, ...secondary].find((muscle) => !lists.muscleGroups.includes(muscle)) ??
      equipment.find((kind) => !lists.equipment.includes(kind)) ??
      tags.find((tag) => !lists.exerciseTags.includes(tag));
    if (unknown)
      throw new OperatorError(`seeds/catalog: ${name} refers to ${unknown}, which is in no list`);
  }
}

function readFile<S extends TSchema>(file: string, schema: S): Static<S> {
  const content: unknown = parse(file);
  const [fault, ...others] = faultsOf(schema, content);
  if (!fault) return content as Static<S>;
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  throw new OperatorError(`seeds/catalog/${file} ${fault.field}: ${fault.message}${more}`);
}

function parse(file: string): unknown {
  try {
    return Bun.YAML.parse(readFileSync(join(DIRECTORY, file), "utf8"));
  } catch (error) {
    throw new OperatorError(`seeds/catalog/${file} is not YAML: ${(error as Error).message}`);
  }
}
