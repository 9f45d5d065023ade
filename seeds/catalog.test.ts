import { expect, test } from "bun:test";
import { slugOf } from "#src/exercises/slug.rules.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectStatus, withApi } from "#test/harness.ts";
import { seedCatalog } from "./catalog.ts";
import { readCatalog } from "./read-catalog.ts";

const catalog = readCatalog();
const { exercises } = catalog;

/** A text without differences of case, accents, punctuation and spaces. */
const normalised = (text: string) => slugOf(text).replaceAll("-", " ");

/** The minimum number of exercises per category. */
const MIN_COUNTS: Record<string, number> = {
  strength: 700,
  stretching: 120,
  plyometrics: 70,
  powerlifting: 50,
  "olympic weightlifting": 50,
  strongman: 40,
  cardio: 40,
};

test("the catalog covers every category, muscle, kind of equipment and tag, and its counts are printed", () => {
  const counts = new Map<string, number>();
  for (const { category } of exercises) counts.set(category, (counts.get(category) ?? 0) + 1);
  console.table([...counts].map(([category, count]) => ({ category, count })));
  console.log(
    `${exercises.length} exercises, ${catalog.muscleGroups.length} muscle groups, ${catalog.equipment.length} kinds of equipment, ${catalog.exerciseTags.length} tags`,
  );
  expect(exercises.length).toBeGreaterThanOrEqual(1200);
  for (const [category, min] of Object.entries(MIN_COUNTS))
    expect(counts.get(category), category).toBeGreaterThanOrEqual(min);
  expect([
    catalog.muscleGroups.length >= 17,
    catalog.equipment.length >= 20,
    catalog.exerciseTags.length,
  ]).toEqual([true, true, 25]);
  const used = new Set(
    exercises.flatMap(({ primary, equipment, tags }) => [...primary, ...equipment, ...tags]),
  );
  const entries = [...catalog.muscleGroups, ...catalog.equipment, ...catalog.exerciseTags];
  expect(entries.filter((entry) => !used.has(entry))).toEqual([]);
});

test("slugs, names and aliases are unique", () => {
  const owners = new Map<string, string>();
  const shared: string[] = [];
  for (const { name, aliases = [] } of exercises) {
    for (const title of [name, ...aliases]) {
      const other = owners.get(normalised(title));
      if (other !== undefined && other !== name) shared.push(`${title}: ${other} and ${name}`);
      owners.set(normalised(title), name);
    }
  }
  expect(shared).toEqual([]);
});

test("no muscle is both primary and secondary", () => {
  for (const { name, primary, secondary = [] } of exercises) {
    if (secondary.some((muscle) => primary.includes(muscle)))
      throw new Error(`${name} names a muscle twice`);
  }
});

test("no two exercises share an instruction", () => {
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
  "a second seed writes nothing, rows that an administrator changed are kept without --overwrite, and a dry run rolls back",
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

test(
  "the seed does not restore exercises that an administrator deleted or renamed, except with --overwrite",
  withApi(async (api) => {
    const { db } = api.deps;
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const idOf = async (slug: string) =>
      (await api.get(`/api/v1/exercises/criteria?slug=${slug}`, { as })).json.id;
    const report = async (options = {}) =>
      (await seedCatalog(db, catalog, options)).find(({ part }) => part === "exercises");
    expectStatus(
      await api.delete(`/api/v1/exercises/${await idOf("one-arm-push-up")}`, { as }),
      204,
    );
    const renamed = `/api/v1/exercises/system/${await idOf("box-jump")}`;
    expectStatus(await api.patch(renamed, { as, body: { name: "Zq Jump" } }), 200);
    expect(await report()).toMatchObject({ added: 0, changed: 0, kept: 2, removed: 0 });
    expect(await report({ overwrite: true })).toMatchObject({ added: 2, kept: 0 });
  }),
);
