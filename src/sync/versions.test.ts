import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeInvitation, makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";

let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

async function make(as: string, path: string, body: object) {
  const made = await api.post(`${API}/${path}`, { as, body });
  expectStatus(made, 201);
  return made.json;
}

/**
 * A user who has one thing of each kind, referring to one another, and a plan that their trainer
 * assigned.
 */
async function makeWorld() {
  const admin = await makeSignedIn(api, { roleSlug: "superuser" });
  const { trainer, client, invitation, accept } = await makeInvitation(api);
  expectStatus(await accept(), 200);
  const { as } = client;
  const name = Bun.randomUUIDv7();
  const entry = async (catalog: string, n: number) =>
    (await make(admin.as, `catalogs/${catalog}`, { name: `${name} ${n}` })).id as number;
  const [muscle, secondary] = [await entry("muscle-groups", 1), await entry("muscle-groups", 2)];
  const kit = await entry("equipment", 1);
  const exercise = await make(as, "exercises/user", {
    ...{ name, difficultyLevel: "beginner", category: "strength" },
    ...{ primaryMuscles: [muscle], secondaryMuscles: [secondary], equipment: [kit] },
  });
  const exercises = [{ exerciseId: exercise.id, mode: "reps", sets: 3 }];
  const [routine, alone] = [
    await make(as, "routines", { name, exercises }),
    await make(as, "routines", { name: `${name} alone`, exercises: [] }),
  ];
  const plan = await make(as, "plans", { name, routines: [{ routineId: routine.id, day: 1 }] });
  const planned = { timeZone: "UTC", routineId: routine.id, planId: plan.id };
  const workout = await make(as, "workouts", planned);
  const free = await make(as, "workouts", { timeZone: "UTC", routineId: alone.id });
  const theirs = await make(trainer.as, "plans", { name, routines: [] });
  const clientIds = [invitation.id];
  const [{ planId }] = await make(trainer.as, `plans/${theirs.id}/assign`, { clientIds });
  const things: Record<string, string> = {
    ...{
      exercise: `exercises/${exercise.id}`,
      routine: `routines/${routine.id}`,
      plan: `plans/${plan.id}`,
    },
    ...{
      workout: `workouts/${workout.id}`,
      "free workout": `workouts/${free.id}`,
      "assigned plan": `plans/${planId}`,
    },
  };
  const ids = { muscle, secondary, kit, alone: alone.id as string, theirs: theirs.id as string };
  return { admin, trainer, as, relation: invitation.id as string, name, ids, things };
}
type World = Awaited<ReturnType<typeof makeWorld>>;

const rename = ({ admin, name }: World, catalog: string, id: number) =>
  api.patch(`${API}/catalogs/${catalog}/${id}`, { as: admin.as, body: { name: `${name} anew` } });
const remove = ({ as, things }: World, thing: string) =>
  api.delete(`${API}/${things[thing]}`, { as });

/**
 * A change, the foreign keys by which it reaches other rows, the things that look different
 * afterwards, and the request.
 */
const deeds: [
  what: string,
  keys: string[],
  changes: string[],
  deed: (world: World) => Promise<Answer>,
][] = [
  [
    "an exercise of one's own is deleted",
    ["routine_exercises_exercise_id_fkey", "workout_exercises_exercise_id_fkey"],
    ["exercise", "routine", "workout"],
    (world) => remove(world, "exercise"),
  ],
  [
    "a plan is deleted",
    ["workouts_plan_id_fkey"],
    ["plan", "workout"],
    (world) => remove(world, "plan"),
  ],
  [
    "a routine is deleted",
    ["workouts_routine_id_fkey"],
    ["free workout"],
    ({ as, ids }) => api.delete(`${API}/routines/${ids.alone}`, { as }),
  ],
  [
    "a trainer deletes the plan that was assigned",
    ["plans_assigned_from_plan_id_fkey"],
    ["assigned plan"],
    ({ trainer, ids }) => api.delete(`${API}/plans/${ids.theirs}`, { as: trainer.as }),
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
    (world) => rename(world, "muscle-groups", world.ids.muscle),
  ],
  [
    "a secondary muscle is renamed",
    [],
    ["exercise"],
    (world) => rename(world, "muscle-groups", world.ids.secondary),
  ],
  [
    "a piece of equipment is renamed",
    [],
    ["exercise"],
    (world) => rename(world, "equipment", world.ids.kit),
  ],
  [
    "a routine of a plan is renamed",
    [],
    ["routine", "plan"],
    ({ as, things, name }) =>
      api.patch(`${API}/${things.routine}`, { as, body: { name: `${name} anew` } }),
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

type Look = { version: number; content: object; json: object };
async function look({ as, things }: World): Promise<Map<string, Look | undefined>> {
  const seen = new Map<string, Look | undefined>();
  for (const [thing, path] of Object.entries(things)) {
    const { status, json } = await api.get(`${API}/${path}`, { as });
    const { version, ...content } = status === 200 ? json : { version: 0 };
    seen.set(thing, status === 200 ? { version, content, json } : undefined);
  }
  return seen;
}

async function readFeed({ as }: World, cursor?: string) {
  const answer = await api.get(`${API}/changes${cursor ? `?cursor=${cursor}` : ""}`, { as });
  expectStatus(answer, 200);
  const items = answer.json.items as { id: string; state: object | null }[];
  return {
    cursor: answer.json.nextCursor as string,
    told: new Map(items.map(({ id, state }) => [id, state])),
  };
}

for (const [what, , changes, deed] of deeds) {
  test(`when ${what}, each thing that looks different has a new version, and the feed reports it`, async () => {
    const world = await makeWorld();
    const [before, { cursor }] = [await look(world), await readFeed(world)];
    expect((await deed(world)).status).toBeLessThan(300);
    const [after, { told }] = [await look(world), await readFeed(world, cursor)];
    const isOtherwise = (thing: string) =>
      !Bun.deepEquals(before.get(thing)?.content, after.get(thing)?.content);
    expect(Object.keys(world.things).filter(isOtherwise)).toEqual(changes);
    for (const [thing, path] of Object.entries(world.things)) {
      const [was, is] = [before.get(thing) as Look, after.get(thing)];
      const [table, id] = path.split("/") as [string, string];
      expect(told.has(id), thing).toBe(changes.includes(thing));
      if (!changes.includes(thing)) expect(is?.version, thing).toBe(was.version);
      if (!changes.includes(thing) || !is) continue;
      expect(is.version, thing).toBeGreaterThan(was.version);
      expect(told.get(id), thing).toEqual(is.json);
      const write = `${API}/${table === "exercises" ? "exercises/user" : table}/${id}`;
      const stale = { as: world.as, body: {}, headers: { "if-match": `"${was.version}"` } };
      expectProblem(await api.patch(write, stale), 412, `${table}.stale`);
    }
  });
}

test("a tag that is renamed is a new version of the catalog's exercises that have it", async () => {
  const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
  const word = Bun.randomUUIDv7();
  const { id: muscle } = await make(as, "catalogs/muscle-groups", { name: word });
  const { id: tag } = await make(as, "catalogs/exercise-tags", { name: word });
  const made = await make(as, "exercises/system", {
    ...{ name: word, difficultyLevel: "beginner", category: "strength", instructions: "Lift" },
    ...{ primaryMuscles: [muscle], tags: [tag] },
  });
  expectStatus(
    await api.patch(`${API}/catalogs/exercise-tags/${tag}`, { as, body: { name: "another" } }),
    200,
  );
  const { json } = await api.get(`${API}/exercises/${made.id}`, { as });
  expect(json).toEqual({
    ...made,
    tags: [{ id: tag, name: "another" }],
    version: made.version + 1,
  });
});

/** The tables of each thing's parts; a thing is deleted with its owner's account. */
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
const OF_NO_THING = [
  "changes",
  "clients",
  "grants",
  "idempotency_keys",
  "import_names",
  "imports",
  "links",
  "logins",
];
const NOT_SHOWN = ["workouts_import_id_fkey"];

test("every foreign key by which a deletion changes other rows is tested above, or deletes the whole thing", async () => {
  const keys = await database.pool.sql<
    { name: string; from: string; to: string; action: string }[]
  >`
    select conname as name, conrelid::regclass::text as "from", confrelid::regclass::text as "to", confdeltype as action
    from pg_constraint
    where contype = 'f' and confdeltype in ('n', 'd', 'c') and connamespace = 'public'::regnamespace`;
  const isOfOneThing = (from: string, to: string) =>
    Object.entries(PARTS).some(
      ([thing, parts]) =>
        [thing, ...parts].includes(from) && [thing, ...parts, "users"].includes(to),
    );
  const followed = new Set(deeds.flatMap(([, names]) => names));
  const others = keys.filter(({ name, from, to, action }) => {
    const isWhole = action === "c" && isOfOneThing(from, to);
    return !(
      isWhole ||
      OF_NO_THING.includes(from) ||
      NOT_SHOWN.includes(name) ||
      followed.has(name)
    );
  });
  expect(others).toEqual([]);
  const known = keys.map(({ name }) => name);
  expect([...followed, ...NOT_SHOWN].filter((name) => !known.includes(name))).toEqual([]);
});

for (const [table, body] of [
  ["routines", { exercises: [] }],
  ["plans", { routines: [] }],
  ["workouts", { timeZone: "UTC" }],
  ["exercises", { difficultyLevel: "beginner", category: "cardio" }],
] as const) {
  test(`a new row of ${table} with the id of a deleted one continues from its version, so old versions are stale`, async () => {
    const { as } = await makeSignedIn(api);
    const admin = await makeSignedIn(api, { roleSlug: "superuser" });
    const id = Bun.randomUUIDv7();
    const isExercise = table === "exercises";
    const muscle = isExercise
      ? await make(admin.as, "catalogs/muscle-groups", { name: id })
      : undefined;
    const muscles = muscle ? { primaryMuscles: [muscle.id] } : {};
    const path = isExercise ? "exercises/user" : table;
    const create = () => make(as, path, { id, name: "The same", ...body, ...muscles });
    const rewrite = (version: number) =>
      api.patch(`${API}/${path}/${id}`, {
        as,
        body: { name: "Other" },
        headers: { "if-match": `"${version}"` },
      });
    const old = await create();
    expectStatus(await rewrite(old.version), 200);
    expectStatus(await api.delete(`${API}/${table}/${id}`, { as }), 204);
    // As the trash is emptied after 30 days.
    if (table === "workouts") await database.pool.sql`delete from workouts where id = ${id}`;
    const made = await create();
    expect(made.version).toBeGreaterThan(old.version + 1);
    for (let version = 1; version < made.version; version++) {
      expectProblem(await rewrite(version), 412, `${table}.stale`);
    }
    expectStatus(await rewrite(made.version), 200);
  });
}

test("a change that is refused because it refers to a deleted thing is answered with the stored state", async () => {
  const world = await makeWorld();
  const { as, things } = world;
  const id = things.routine?.split("/")[1];
  const exerciseId = things.exercise?.split("/")[1];
  expectStatus(await remove(world, "exercise"), 204);
  const stored = (await api.get(`${API}/${things.routine}`, { as })).json;
  const state = { name: stored.name, exercises: [{ exerciseId, mode: "reps", sets: 4 }] };
  const sync = (changes: object[]) => api.post(`${API}/sync`, { as, body: { changes } });
  const answer = await sync([
    { kind: "routine", id, baseVersion: stored.version, state },
    {
      kind: "routine",
      id: Bun.randomUUIDv7(),
      baseVersion: null,
      state: { ...state, name: "Another" },
    },
    { kind: "routine", id, baseVersion: stored.version, state: { name: stored.name } },
  ]);
  const [refused, fresh, incomplete] = answer.json.results;
  const problem = { code: "routines.exercise_not_found" };
  expect(refused).toMatchObject({ status: "refused", version: stored.version, problem });
  expect(refused.current).toEqual(stored);
  expect(fresh).toMatchObject({ status: "refused", version: null, current: null, problem });
  expect(incomplete).toMatchObject({ status: "refused", problem: { code: "invalid_request" } });
  expect(incomplete.current).toEqual(stored);
});
