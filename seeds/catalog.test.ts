import { expect, test } from "bun:test";
import { slugOf } from "#src/exercises/slug.rules.ts";
import { withApi } from "#test/harness.ts";
import { seedCatalog } from "./catalog.ts";
import { readCatalog } from "./read-catalog.ts";

const catalog = readCatalog();
const { exercises } = catalog;

/** A text as people would call it the same: case, accents, punctuation and spaces aside. */
const normalised = (text: string) => slugOf(text).replaceAll("-", " ");

test("the catalog's counts are printed, and each category has some", () => {
  const counts = new Map<string, number>();
  for (const { category } of exercises) counts.set(category, (counts.get(category) ?? 0) + 1);
  console.table([...counts].map(([category, count]) => ({ category, count })));
  console.log(
    `${exercises.length} exercises, ${catalog.muscleGroups.length} muscle groups, ${catalog.equipment.length} kinds of equipment, ${catalog.exerciseTags.length} tags`,
  );
  expect(exercises.length).toBeGreaterThanOrEqual(100);
});

test("no slug, name or alias stands for two exercises", () => {
  const owners = new Map<string, string>();
  const shared: string[] = [];
  for (const { name, aliases = [] } of exercises) {
    for (const called of [name, ...aliases]) {
      const other = owners.get(normalised(called));
      if (other !== undefined && other !== name) shared.push(`${called}: ${other} and ${name}`);
      owners.set(normalised(called), name);
    }
  }
  expect(shared).toEqual([]);
});

test("no muscle is both primary and secondary, and every muscle group is trained", () => {
  const trained = new Set<string>();
  for (const { name, primary, secondary = [] } of exercises) {
    for (const muscle of primary) trained.add(muscle);
    if (secondary.some((muscle) => primary.includes(muscle))) throw new Error(`${name} names a muscle twice`);
  }
  expect(catalog.muscleGroups.filter((muscle) => !trained.has(muscle))).toEqual([]);
});

test("no two exercises share a step of their instructions", () => {
  const steps = new Map<string, string>();
  const shared: string[] = [];
  for (const { name, instructions } of exercises) {
    for (const step of instructions) {
      const other = steps.get(normalised(step));
      if (other !== undefined) shared.push(`${name} and ${other}: ${step}`);
      steps.set(normalised(step), name);
    }
  }
  expect(shared).toEqual([]);
});

test(
  "a second seed writes nothing, a changed row of an administrator is kept unless told otherwise, a dry run rolls back",
  withApi(async ({ deps: { db } }) => {
    const report = async (options = {}) =>
      (await seedCatalog(db, catalog, options)).find(({ part }) => part === "exercises");
    expect(await report()).toMatchObject({ added: 0, changed: 0, kept: 0, removed: 0 });
    await db.sql`update exercises set instructions = 'Mine', seed_hash = null where slug = 'one-arm-push-up'`;
    expect(await report()).toMatchObject({ changed: 0, kept: 1 });
    expect(await report({ overwrite: true, dryRun: true })).toMatchObject({ changed: 1 });
    expect(await report({ overwrite: true })).toMatchObject({ changed: 1, kept: 0 });
    const [row] = await db.sql`select document from exercises where slug = 'one-arm-push-up'`;
    expect(JSON.parse(row?.document).instructions).not.toBe("Mine");
    await db.sql`delete from exercises where slug = 'one-arm-push-up'`;
    await db.sql`insert into exercises (name, slug, category, difficulty, seed_hash) values ('Old One', 'old-one', 'strength', 'expert', 'x')`;
    expect(await report()).toMatchObject({ added: 1, removed: 1 });
  }),
);
