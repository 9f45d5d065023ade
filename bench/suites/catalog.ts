import { get, newExercise, send, uniqueName, write } from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

/** The five operations of a reference table. */
function referenceTable(path: string, singular: string, plural: string): Scenario[] {
  const name = () => ({ name: uniqueName("entry") });
  return [
    { operation: `List${plural}`, request: ({ athlete }) => get(athlete, path) },
    { operation: `Get${singular}`, request: ({ athlete }) => get(athlete, `${path}/1`) },
    { operation: `Create${singular}`, request: ({ admin }) => write(admin, "POST", path, name()) },
    {
      operation: `Update${singular}`,
      request: ({ admin }) => write(admin, "PATCH", `${path}/3`, name()),
    },
    {
      operation: `Delete${singular}`,
      request: async (fixtures) => {
        const { id } = await send(fixtures, write(fixtures.admin, "POST", path, name()));
        return write(fixtures.admin, "DELETE", `${path}/${id}`);
      },
    },
  ];
}

const systemExercise = () => ({
  ...newExercise(uniqueName("System")),
  instructions: "Lift it",
  tags: [1],
});

/**
 * Reference tables and exercises. Each list request asks for another page, so that none is answered
 * from the cache.
 */
export const CATALOG_SCENARIOS: Scenario[] = [
  ...referenceTable("/catalogs/equipment", "Equipment", "Equipment"),
  ...referenceTable("/catalogs/muscle-groups", "MuscleGroup", "MuscleGroups"),
  ...referenceTable("/catalogs/exercise-tags", "ExerciseTag", "ExerciseTags"),
  {
    operation: "ListExercises",
    request: ({ athlete }, n) => get(athlete, `/exercises?currentPage=${n + 1}`),
  },
  {
    operation: "CountExercises",
    request: ({ athlete }, n) => get(athlete, `/exercises/facets?primaryMuscles=${(n % 20) + 1}`),
  },
  {
    operation: "FindExercise",
    request: ({ athlete }) => get(athlete, "/exercises/criteria?name=Own%20exercise"),
  },
  {
    operation: "GetExercise",
    request: async (fixtures) => {
      const { id } = await send(
        fixtures,
        write(fixtures.athlete, "POST", "/exercises/user", newExercise(uniqueName("Own"))),
      );
      return get(fixtures.athlete, `/exercises/${id}`);
    },
  },
  {
    operation: "CreateUserExercise",
    request: ({ athlete }) =>
      write(athlete, "POST", "/exercises/user", newExercise(uniqueName("Own"))),
  },
  {
    operation: "UpdateUserExercise",
    request: ({ athlete, ownExercise }, n) =>
      write(athlete, "PATCH", `/exercises/user/${ownExercise}`, { instructions: `Step ${n}` }),
  },
  {
    operation: "CreateSystemExercise",
    request: ({ admin }) => write(admin, "POST", "/exercises/system", systemExercise()),
  },
  {
    operation: "UpdateSystemExercise",
    request: ({ admin, systemExercise: id }, n) =>
      write(admin, "PATCH", `/exercises/system/${id}`, { instructions: `Step ${n}` }),
  },
  {
    operation: "DeleteExercise",
    request: async (fixtures) => {
      const { id } = await send(
        fixtures,
        write(fixtures.athlete, "POST", "/exercises/user", newExercise(uniqueName("Own"))),
      );
      return write(fixtures.athlete, "DELETE", `/exercises/${id}`);
    },
  },
];
