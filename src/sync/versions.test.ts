import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";
import { create, makeRelatedTraining, type RelatedTraining } from "#test/related-training.ts";

let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

const rename = ({ admin, name }: RelatedTraining, catalog: string, id: number) =>
  api.patch(`${API}/catalogs/${catalog}/${id}`, {
    as: admin.as,
    body: { name: `${name} renamed` },
  });
const remove = ({ as, paths }: RelatedTraining, entity: string) =>
  api.delete(`${API}/${paths[entity]}`, { as });

/**
 * Requests that change entities indirectly: the foreign keys by which they reach other rows, and
 * the entities whose representation changes.
 */
const cases: [
  description: string,
  foreignKeys: string[],
  changed: string[],
  request: (fixture: RelatedTraining) => Promise<Answer>,
][] = [
  [
    "an own exercise is deleted",
    ["routine_exercises_exercise_id_fkey", "workout_exercises_exercise_id_fkey"],
    ["exercise", "routine", "workout"],
    (fixture) => remove(fixture, "exercise"),
  ],
  [
    "a plan is deleted",
    ["workouts_plan_id_fkey"],
    ["plan", "workout"],
    (fixture) => remove(fixture, "plan"),
  ],
  [
    "a routine is deleted",
    ["workouts_routine_id_fkey"],
    ["free workout"],
    ({ as, ids }) => api.delete(`${API}/routines/${ids.unplanned}`, { as }),
  ],
  [
    "a trainer deletes the plan that was assigned",
    ["plans_assigned_from_plan_id_fkey"],
    ["assigned plan"],
    ({ trainer, ids }) => api.delete(`${API}/plans/${ids.trainerPlan}`, { as: trainer.as }),
  ],
  [
    "the account of the trainer is deleted",
    ["plans_assigned_by_fkey"],
    ["assigned plan"],
    ({ admin, trainer }) => api.delete(`${API}/users/${trainer.user.id}`, { as: admin.as }),
  ],
  [
    "a primary muscle is renamed",
    [],
    ["exercise"],
    (fixture) => rename(fixture, "muscle-groups", fixture.ids.muscle),
  ],
  [
    "a secondary muscle is renamed",
    [],
    ["exercise"],
    (fixture) => rename(fixture, "muscle-groups", fixture.ids.secondary),
  ],
  [
    "a piece of equipment is renamed",
    [],
    ["exercise"],
    (fixture) => rename(fixture, "equipment", fixture.ids.equipment),
  ],
  [
    "a routine of a plan is renamed",
    [],
    ["routine", "plan"],
    ({ as, paths, name }) =>
      api.patch(`${API}/${paths.routine}`, { as, body: { name: `${name} renamed` } }),
  ],
  [
    "a client leaves the trainer",
    [],
    [],
    ({ as, relation }) => api.delete(`${API}/trainers/${relation}`, { as }),
  ],
  [
    "the account of the trainer is deactivated",
    [],
    [],
    ({ admin, trainer }) =>
      api.patch(`${API}/users/${trainer.user.id}`, { as: admin.as, body: { isActive: false } }),
  ],
];

type Snapshot = { version: number; content: object; json: object };
async function readAll({ as, paths }: RelatedTraining): Promise<Map<string, Snapshot | undefined>> {
  const snapshots = new Map<string, Snapshot | undefined>();
  for (const [entity, path] of Object.entries(paths)) {
    const { status, json } = await api.get(`${API}/${path}`, { as });
    const { version, ...content } = status === 200 ? json : { version: 0 };
    snapshots.set(entity, status === 200 ? { version, content, json } : undefined);
  }
  return snapshots;
}

async function readFeed({ as }: RelatedTraining, cursor?: string) {
  const answer = await api.get(`${API}/changes${cursor ? `?cursor=${cursor}` : ""}`, { as });
  expectStatus(answer, 200);
  const items = answer.json.items as { id: string; state: object | null }[];
  return {
    cursor: answer.json.nextCursor as string,
    states: new Map(items.map(({ id, state }) => [id, state])),
  };
}

for (const [description, , changed, request] of cases) {
  test(`when ${description}, each entity whose content changes has a new version, and the feed reports it`, async () => {
    const fixture = await makeRelatedTraining(api);
    const [before, { cursor }] = [await readAll(fixture), await readFeed(fixture)];
    expect((await request(fixture)).status).toBeLessThan(300);
    const [after, { states }] = [await readAll(fixture), await readFeed(fixture, cursor)];
    const hasChanged = (entity: string) =>
      !Bun.deepEquals(before.get(entity)?.content, after.get(entity)?.content);
    expect(Object.keys(fixture.paths).filter(hasChanged)).toEqual(changed);
    for (const [entity, path] of Object.entries(fixture.paths)) {
      const [old, current] = [before.get(entity) as Snapshot, after.get(entity)];
      const [table, id] = path.split("/") as [string, string];
      expect(states.has(id), entity).toBe(changed.includes(entity));
      if (!changed.includes(entity)) expect(current?.version, entity).toBe(old.version);
      if (!changed.includes(entity) || !current) continue;
      expect(current.version, entity).toBeGreaterThan(old.version);
      expect(states.get(id), entity).toEqual(current.json);
      const writePath = `${API}/${table === "exercises" ? "exercises/user" : table}/${id}`;
      const stale = { as: fixture.as, body: {}, headers: { "if-match": `"${old.version}"` } };
      expectProblem(await api.patch(writePath, stale), 412, `${table}.stale`);
    }
  });
}

test("renaming a tag makes new versions of the catalog's exercises that have it", async () => {
  const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
  const name = Bun.randomUUIDv7();
  const { id: muscle } = await create(api, as, "catalogs/muscle-groups", { name });
  const { id: tag } = await create(api, as, "catalogs/exercise-tags", { name });
  const exercise = await create(api, as, "exercises/system", {
    name,
    difficultyLevel: "beginner",
    category: "strength",
    instructions: "Lift",
    primaryMuscles: [muscle],
    tags: [tag],
  });
  expectStatus(
    await api.patch(`${API}/catalogs/exercise-tags/${tag}`, { as, body: { name: "another" } }),
    200,
  );
  const { json } = await api.get(`${API}/exercises/${exercise.id}`, { as });
  expect(json).toEqual({
    ...exercise,
    tags: [{ id: tag, name: "another" }],
    version: exercise.version + 1,
  });
});

/** The tables of each entity's parts. An entity is deleted with its owner's account. */
const PARTS: Record<string, string[]> = {
  exercises: [
    "exercise_primary_muscles",
    "exercise_secondary_muscles",
    "exercise_equipment",
    "exercise_tag_links",
  ],
  routines: ["routine_exercises"],
  plans: ["plan_routines"],
  workouts: ["workout_exercises", "workout_sets"],
};
/** Tables that are not part of an entity. */
const OTHER_TABLES = [
  "changes",
  "clients",
  "grants",
  "idempotency_keys",
  "import_names",
  "imports",
  "links",
  "logins",
];
/** Foreign keys of columns that no entity shows. */
const HIDDEN_KEYS = ["workouts_import_id_fkey"];

test("every foreign key by which a deletion changes other rows is tested above, or deletes the whole entity", async () => {
  const keys = await database.pool.sql<
    { name: string; from: string; to: string; action: string }[]
  >`
    select conname as name, conrelid::regclass::text as "from",
      confrelid::regclass::text as "to", confdeltype as action
    from pg_constraint
    where contype = 'f' and confdeltype in ('n', 'd', 'c')
      and connamespace = 'public'::regnamespace`;
  const isWithinEntity = (from: string, to: string) =>
    Object.entries(PARTS).some(
      ([table, parts]) =>
        [table, ...parts].includes(from) && [table, ...parts, "users"].includes(to),
    );
  const tested = new Set(cases.flatMap(([, names]) => names));
  const untested = keys.filter(({ name, from, to, action }) => {
    const deletesEntity = action === "c" && isWithinEntity(from, to);
    return !(
      deletesEntity ||
      OTHER_TABLES.includes(from) ||
      HIDDEN_KEYS.includes(name) ||
      tested.has(name)
    );
  });
  expect(untested).toEqual([]);
  const names = keys.map(({ name }) => name);
  expect([...tested, ...HIDDEN_KEYS].filter((name) => !names.includes(name))).toEqual([]);
});
