import fc from "fast-check";

/** The users of the model; root is a superuser. */
export const USERS = ["ada", "bob", "root"] as const;
export type User = (typeof USERS)[number];

/** An exercise in the model; `owner` is undefined for a system exercise. */
export type ModelExercise = {
  id: string;
  owner: User | undefined;
  name: string;
  equipment: number[];
  tags: number[];
};
export type Model = { exercises: ModelExercise[]; equipmentNames: string[] };

export type Query = {
  scope?: "system" | "user" | "all";
  equipment?: number;
  tags?: number;
  pageSize: number;
};
/** `pick` selects an existing exercise. */
export type Write = {
  kind: "create" | "change";
  user: User;
  isSystem: boolean;
  name: number;
  pick: number;
  equipment: number[];
  tags: number[];
};
type Remove = { kind: "remove"; user: User; pick: number };
/** Renames a piece of equipment. */
export type Rename = { kind: "rename"; pick: number; name: number };
export type Change = Write | Remove | Rename;
type Step = Change | { kind: "read"; user: User; query: Query };

const user = fc.constantFrom<User>(...USERS);
const id = fc.integer({ min: 1, max: 3 });
const pick = fc.nat({ max: 20 });
const query = fc.record<Query>(
  {
    scope: fc.constantFrom("system", "user", "all"),
    equipment: id,
    tags: id,
    pageSize: fc.constantFrom(2, 20),
  },
  { requiredKeys: ["pageSize"] },
);
const write = fc.record<Write>({
  kind: fc.constantFrom("create", "change"),
  user,
  isSystem: fc.boolean(),
  name: fc.nat({ max: 12 }),
  pick,
  equipment: fc.uniqueArray(id, { maxLength: 2 }),
  tags: fc.uniqueArray(id, { minLength: 1, maxLength: 2 }),
});
const read = fc.record({ kind: fc.constant("read" as const), user, query });

/** A random step, and the server that takes it. Two of five steps are reads. */
export const serverStep: fc.Arbitrary<{ server: number; step: Step }> = fc.record({
  server: fc.nat({ max: 1 }),
  step: fc.oneof(
    write,
    fc.record({ kind: fc.constant("remove" as const), user, pick }),
    fc.record({ kind: fc.constant("rename" as const), pick, name: fc.nat({ max: 50 }) }),
    read,
    read,
  ),
});

/** The page of a list that `reader` must get. */
export function expectedPage(
  model: Model,
  reader: User,
  { scope = "all", equipment, tags, pageSize }: Query,
) {
  const matches = model.exercises
    .filter(({ owner }) => (scope !== "user" && !owner) || (scope !== "system" && owner === reader))
    .filter((exercise) => equipment === undefined || exercise.equipment.includes(equipment))
    .filter((exercise) => tags === undefined || exercise.tags.includes(tags))
    .sort((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
  return {
    total: matches.length,
    items: matches.slice(0, pageSize).map(({ id, name, equipment: equipmentIds }) => ({
      id,
      name,
      equipment: equipmentIds.map((entryId) => model.equipmentNames[entryId - 1] as string),
    })),
  };
}
