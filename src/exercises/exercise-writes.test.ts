import { expect, test } from "bun:test";
import { MINIMAL_EXERCISE, SYSTEM_EXERCISE } from "#test/exercise-bodies.ts";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";

type Body = Record<string, unknown>;
const without = (body: Body, field: string) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));

async function asSuperuser(api: Api) {
  return (await makeSignedIn(api, { roleSlug: "superuser" })).as;
}

test(
  "a user's own exercise has no tags, slug or images",
  withApi(async (api) => {
    const { user, as } = await makeSignedIn(api);
    const body = {
      ...MINIMAL_EXERCISE,
      name: "  Zq \t Press  ",
      primaryMuscles: [3, 1, 3],
      secondaryMuscles: [2],
      equipment: [1, 2],
      force: "push",
      mechanic: "compound",
      instructions: "Press it.",
    };
    const created = await api.post(`${EXERCISES}/user`, { as, body });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      name: "Zq Press",
      force: "push",
      mechanic: "compound",
      difficultyLevel: "beginner",
      category: "strength",
      instructions: "Press it.",
      imagePathStart: null,
      tags: [],
      slug: null,
      isSystemDefault: false,
      createdBy: user.id,
      version: 1,
    });
    const ids = (entries: { id: number }[]) => entries.map(({ id }) => id);
    const { primaryMuscles, secondaryMuscles, equipment } = created.json;
    expect([ids(primaryMuscles), ids(secondaryMuscles), ids(equipment)]).toEqual([
      [1, 3],
      [2],
      [1, 2],
    ]);
    expect((await api.get(`${EXERCISES}/${created.json.id}`, { as })).json).toEqual(created.json);
    expect((await api.get(`${EXERCISES}?scope=user`, { as })).json.items).toEqual([created.json]);
    expect(
      (await api.get(`${EXERCISES}?scope=user&equipment=2&primaryMuscles=3`, { as })).json.total,
    ).toBe(1);
  }),
);

test(
  "a superuser creates a system exercise, which any user finds by its slug",
  withApi(async (api) => {
    const { as: reader } = await makeSignedIn(api);
    const as = await asSuperuser(api);
    const images = { imagePathStart: "/zq/start.png", imagePathEnd: "/zq/end.webp" };
    const created = await api.post(`${EXERCISES}/system`, {
      as,
      body: { ...SYSTEM_EXERCISE, name: "Zq Élan Press", ...images },
    });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      slug: "zq-elan-press",
      isSystemDefault: true,
      createdBy: null,
      ...images,
    });
    expect(
      (await api.get(`${EXERCISES}/criteria?slug=zq-elan-press`, { as: reader })).json,
    ).toEqual(created.json);
  }),
);

test.each<[string, Body]>([
  ["a blank name", { ...MINIMAL_EXERCISE, name: " \t " }],
  ["a name of two characters", { ...MINIMAL_EXERCISE, name: "ab" }],
  [
    "a name of two characters that JavaScript counts as four",
    { ...MINIMAL_EXERCISE, name: "💪💪" },
  ],
  ["a name of 101 characters", { ...MINIMAL_EXERCISE, name: "a".repeat(101) }],
  ["a name that cannot be seen", { ...MINIMAL_EXERCISE, name: "\u200b\u200b\u200b" }],
  ["a name with a control character", { ...MINIMAL_EXERCISE, name: "Zq\u0007Press" }],
  ["a name with NUL", { ...MINIMAL_EXERCISE, name: "Zq\u0000Press" }],
  ["no name", without(MINIMAL_EXERCISE, "name")],
  ["a name of null", { ...MINIMAL_EXERCISE, name: null }],
  ["no primary muscle", { ...MINIMAL_EXERCISE, primaryMuscles: [] }],
  ["primary muscles of null", { ...MINIMAL_EXERCISE, primaryMuscles: null }],
  ["an id beyond a smallint", { ...MINIMAL_EXERCISE, primaryMuscles: [32_768] }],
  ["an id of 0", { ...MINIMAL_EXERCISE, equipment: [0] }],
  ["an id as text", { ...MINIMAL_EXERCISE, equipment: ["1"] }],
  [
    "51 ids",
    { ...MINIMAL_EXERCISE, equipment: Array.from({ length: 51 }, (_, index) => index + 1) },
  ],
  ["an unknown category", { ...MINIMAL_EXERCISE, category: "yoga" }],
  ["no difficulty", without(MINIMAL_EXERCISE, "difficultyLevel")],
  ["an unknown force", { ...MINIMAL_EXERCISE, force: "twist" }],
  ["instructions that are too long", { ...MINIMAL_EXERCISE, instructions: "a".repeat(10_001) }],
  ["tags", { ...MINIMAL_EXERCISE, tags: [1] }],
  ["a slug", { ...MINIMAL_EXERCISE, slug: "zq" }],
  ["an image", { ...MINIMAL_EXERCISE, imagePathStart: "/a.png" }],
  ["an owner", { ...MINIMAL_EXERCISE, createdBy: ABSENT }],
])("an own exercise with %s is rejected and nothing is written", async (_fault, body) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    expectProblem(await api.post(`${EXERCISES}/user`, { as, body }), 422, "invalid_request");
    expect((await api.get(`${EXERCISES}?scope=user`, { as })).json.total).toBe(0);
  })();
});

test.each<[string, Body]>([
  ["no instructions", without(SYSTEM_EXERCISE, "instructions")],
  ["blank instructions", { ...SYSTEM_EXERCISE, instructions: " \n " }],
  ["no tags", without(SYSTEM_EXERCISE, "tags")],
  ["an empty list of tags", { ...SYSTEM_EXERCISE, tags: [] }],
  ["an image elsewhere", { ...SYSTEM_EXERCISE, imagePathStart: "https://example.com/a.png" }],
  ["an image above", { ...SYSTEM_EXERCISE, imagePathStart: "/../a.png" }],
  ["an image that is none", { ...SYSTEM_EXERCISE, imagePathEnd: "/a.svg" }],
])("a system exercise with %s is rejected", async (_fault, body) => {
  await withApi(async (api) => {
    expectProblem(
      await api.post(`${EXERCISES}/system`, { as: await asSuperuser(api), body }),
      422,
      "invalid_request",
    );
  })();
});

test.each<[Body, string, string]>([
  [
    { primaryMuscles: [32_001], secondaryMuscles: [32_000, 1] },
    "muscles",
    "Primary [32001] and secondary [32000] muscles not found",
  ],
  [
    { primaryMuscles: [32_002, 1, 32_001], equipment: [32_000] },
    "muscles",
    "Primary muscles not found: [32001, 32002]",
  ],
  [
    { secondaryMuscles: [32_000, 1], equipment: [32_000] },
    "muscles",
    "Secondary muscles not found: [32000]",
  ],
  [
    { equipment: [32_001, 32_000, 1], tags: [32_000] },
    "equipment",
    "Equipment not found: [32000, 32001]",
  ],
  [{ tags: [32_000, 32_000] }, "tags", "Tags not found: [32000]"],
])("the error names catalog ids that do not exist: %j", async (ids, what, detail) => {
  await withApi(async (api) => {
    const as = await asSuperuser(api);
    const id = await makeExercise(api, { name: "Zq Other" });
    const created = await api.post(`${EXERCISES}/system`, {
      as,
      body: { ...SYSTEM_EXERCISE, ...ids },
    });
    expectProblem(created, 404, `exercises.${what}_not_found`, detail);
    expectProblem(
      await api.patch(`${EXERCISES}/system/${id}`, { as, body: ids }),
      404,
      `exercises.${what}_not_found`,
      detail,
    );
    expect((await api.get(`${EXERCISES}?searchString=zq`, { as })).json.total).toBe(1);
    expect((await api.get(`${EXERCISES}/${id}`, { as })).json.version).toBe(1);
  })();
});
