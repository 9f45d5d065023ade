import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn, makeUser, signedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

const minimal = {
  name: "Zq Press",
  primaryMuscles: [1],
  difficultyLevel: "beginner",
  category: "strength",
};
const system = { ...minimal, instructions: "Press it.\nLower it.", tags: [2] };
type Body = Record<string, unknown>;
const without = (body: Body, field: string) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));

async function asSuperuser(api: Api) {
  return (await makeSignedIn(api, { roleSlug: "superuser" })).as;
}

test(
  "a user creates an exercise of their own, which has no tags, slug or images",
  withApi(async (api) => {
    const { user, as } = await makeSignedIn(api);
    const body = {
      ...minimal,
      name: "  Zq \t Press  ",
      primaryMuscles: [3, 1, 3],
      secondaryMuscles: [2],
      equipment: [1, 2],
      force: "push",
      mechanic: "compound",
      instructions: "Press it.",
    };
    const made = await api.post(`${EXERCISES}/user`, { as, body });
    expectStatus(made, 201);
    expect(made.json).toMatchObject({
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
    const { primaryMuscles, secondaryMuscles, equipment } = made.json;
    expect([ids(primaryMuscles), ids(secondaryMuscles), ids(equipment)]).toEqual([
      [1, 3],
      [2],
      [1, 2],
    ]);
    expect((await api.get(`${EXERCISES}/${made.json.id}`, { as })).json).toEqual(made.json);
    expect((await api.get(`${EXERCISES}?scope=user`, { as })).json.items).toEqual([made.json]);
    expect(
      (await api.get(`${EXERCISES}?scope=user&equipment=2&primaryMuscles=3`, { as })).json.total,
    ).toBe(1);
  }),
);

test(
  "a superuser creates an exercise of the catalog, which everybody finds by its slug",
  withApi(async (api) => {
    const { as: reader } = await makeSignedIn(api);
    const as = await asSuperuser(api);
    const images = { imagePathStart: "/zq/start.png", imagePathEnd: "/zq/end.webp" };
    const made = await api.post(`${EXERCISES}/system`, {
      as,
      body: { ...system, name: "Zq Élan Press", ...images },
    });
    expectStatus(made, 201);
    expect(made.json).toMatchObject({
      slug: "zq-elan-press",
      isSystemDefault: true,
      createdBy: null,
      ...images,
    });
    expect(
      (await api.get(`${EXERCISES}/criteria?slug=zq-elan-press`, { as: reader })).json,
    ).toEqual(made.json);
  }),
);

test.each<[string, Body]>([
  ["a blank name", { ...minimal, name: " \t " }],
  ["a name of two characters", { ...minimal, name: "ab" }],
  ["a name of two characters that JavaScript counts as four", { ...minimal, name: "💪💪" }],
  ["a name of 101 characters", { ...minimal, name: "a".repeat(101) }],
  ["a name that cannot be seen", { ...minimal, name: "\u200b\u200b\u200b" }],
  ["a name with a control character", { ...minimal, name: "Zq\u0007Press" }],
  ["a name with NUL", { ...minimal, name: "Zq\u0000Press" }],
  ["no name", without(minimal, "name")],
  ["a name of null", { ...minimal, name: null }],
  ["no primary muscle", { ...minimal, primaryMuscles: [] }],
  ["primary muscles of null", { ...minimal, primaryMuscles: null }],
  ["an id beyond a smallint", { ...minimal, primaryMuscles: [32_768] }],
  ["an id of 0", { ...minimal, equipment: [0] }],
  ["an id as text", { ...minimal, equipment: ["1"] }],
  ["51 ids", { ...minimal, equipment: Array.from({ length: 51 }, (_, at) => at + 1) }],
  ["an unknown category", { ...minimal, category: "yoga" }],
  ["no difficulty", without(minimal, "difficultyLevel")],
  ["an unknown force", { ...minimal, force: "twist" }],
  ["instructions that are too long", { ...minimal, instructions: "a".repeat(10_001) }],
  ["tags", { ...minimal, tags: [1] }],
  ["a slug", { ...minimal, slug: "zq" }],
  ["an image", { ...minimal, imagePathStart: "/a.png" }],
  ["an owner", { ...minimal, createdBy: ABSENT }],
])("an exercise of one's own with %s is refused, and nothing is written", async (_what, body) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    expectProblem(await api.post(`${EXERCISES}/user`, { as, body }), 422, "invalid_request");
    expect((await api.get(`${EXERCISES}?scope=user`, { as })).json.total).toBe(0);
  })();
});

test.each<[string, Body]>([
  ["no instructions", without(system, "instructions")],
  ["blank instructions", { ...system, instructions: " \n " }],
  ["no tags", without(system, "tags")],
  ["an empty list of tags", { ...system, tags: [] }],
  ["an image elsewhere", { ...system, imagePathStart: "https://example.com/a.png" }],
  ["an image above", { ...system, imagePathStart: "/../a.png" }],
  ["an image that is none", { ...system, imagePathEnd: "/a.svg" }],
])("an exercise of the catalog with %s is refused", async (_what, body) => {
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
])("catalog ids that are not there are named: %j", async (ids, what, detail) => {
  await withApi(async (api) => {
    const as = await asSuperuser(api);
    const id = await makeExercise(api, { name: "Zq Other" });
    const made = await api.post(`${EXERCISES}/system`, { as, body: { ...system, ...ids } });
    expectProblem(made, 404, `exercises.${what}_not_found`, detail);
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

test(
  "a name is taken once in an account, whatever its case, and free in every other",
  withApi(async (api) => {
    const [one, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    expectStatus(await api.post(`${EXERCISES}/user`, { as: one.as, body: minimal }), 201);
    const name = "zq  PRESS";
    expectProblem(
      await api.post(`${EXERCISES}/user`, { as: one.as, body: { ...minimal, name } }),
      409,
      "exercises.name_taken",
      "An exercise with the name 'zq PRESS' already exists in your account. Please choose a different name",
    );
    expectStatus(await api.post(`${EXERCISES}/user`, { as: other.as, body: minimal }), 201);
    // The catalog's names are free, too: what is one's own is one's own.
    expectStatus(
      await api.post(`${EXERCISES}/user`, {
        as: one.as,
        body: { ...minimal, name: "One-Arm Push-Up" },
      }),
      201,
    );
    const second = await api.post(`${EXERCISES}/user`, {
      as: one.as,
      body: { ...minimal, name: "Zq Curl" },
    });
    const renamed = await api.patch(`${EXERCISES}/user/${second.json.id}`, {
      as: one.as,
      body: { name: "ZQ PRESS" },
    });
    expectProblem(renamed, 409, "exercises.name_taken");
    expectStatus(
      await api.patch(`${EXERCISES}/user/${second.json.id}`, {
        as: one.as,
        body: { name: "ZQ CURL" },
      }),
      200,
    );
  }),
);

test.each(["one arm push up", "Öne-Arm   Push-Up!", "ONE-ARM PUSH-UP"])(
  "the catalog has no second exercise like %p",
  async (name) => {
    await withApi(async (api) => {
      const as = await asSuperuser(api);
      const form = name.replace(/\s+/g, " ");
      const detail = `Exercise '${form}' cannot be created: a similar exercise (with matching normalized naming) already exists in the system`;
      expectProblem(
        await api.post(`${EXERCISES}/system`, { as, body: { ...system, name } }),
        409,
        "exercises.name_taken",
        detail,
      );
      const id = await makeExercise(api, { name: "Zq Other" });
      expectProblem(
        await api.patch(`${EXERCISES}/system/${id}`, { as, body: { name } }),
        409,
        "exercises.name_taken",
        detail,
      );
    })();
  },
);

test(
  "a name that ASCII cannot show has a slug all the same",
  withApi(async (api) => {
    const as = await asSuperuser(api);
    for (const name of ["深蹲运动", "!!!"]) {
      const made = await api.post(`${EXERCISES}/system`, { as, body: { ...system, name } });
      expectStatus(made, 201);
      expect(made.json.slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(
        (await api.get(`${EXERCISES}/criteria?slug=${made.json.slug}`, { as })).json.name,
      ).toBe(name);
    }
  }),
);

test(
  "a change writes what is given and nothing else; null and [] clear",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const body = {
      ...minimal,
      secondaryMuscles: [2],
      equipment: [1],
      force: "push",
      mechanic: "compound",
      instructions: "A",
    };
    const { json: made } = await api.post(`${EXERCISES}/user`, { as, body });
    const url = `${EXERCISES}/user/${made.id}`;
    const nothing = await api.patch(url, { as, body: {} });
    expectStatus(nothing, 200);
    expect(nothing.json).toEqual(made);
    const renamed = await api.patch(url, { as, body: { name: "Zq Push", primaryMuscles: [4] } });
    expectStatus(renamed, 200);
    const { name, primaryMuscles, updatedAt, version, ...rest } = renamed.json;
    const { name: _n, primaryMuscles: _p, updatedAt: before, version: _v, ...unchanged } = made;
    expect([name, primaryMuscles[0].id, version, rest]).toEqual(["Zq Push", 4, 2, unchanged]);
    expect(updatedAt > before).toBe(true);
    const clearing = {
      secondaryMuscles: null,
      equipment: [],
      force: null,
      mechanic: null,
      instructions: null,
    };
    const cleared = await api.patch(url, { as, body: clearing });
    expect(cleared.json).toMatchObject({
      secondaryMuscles: [],
      equipment: [],
      force: null,
      mechanic: null,
      instructions: null,
    });
    expect((await api.get(`${EXERCISES}/${made.id}`, { as })).json).toEqual(cleared.json);
    for (const bad of [
      { name: null },
      { primaryMuscles: [] },
      { category: null },
      { tags: [1] },
      { slug: "a" },
    ]) {
      expectProblem(await api.patch(url, { as, body: bad }), 422, "invalid_request");
    }
  }),
);

test(
  "a system exercise that is renamed is found by its new slug only",
  withApi(async (api) => {
    const as = await asSuperuser(api);
    const made = await api.post(`${EXERCISES}/system`, { as, body: system });
    const { json } = await api.patch(`${EXERCISES}/system/${made.json.id}`, {
      as,
      body: { name: "Zq Push", tags: [3] },
    });
    expect([json.slug, json.tags[0].id, json.version]).toEqual(["zq-push", 3, 2]);
    expectStatus(await api.get(`${EXERCISES}/criteria?slug=zq-push`, { as }), 200);
    expectStatus(await api.get(`${EXERCISES}/criteria?slug=zq-press`, { as }), 404);
    for (const bad of [{ tags: [] }, { instructions: null }, { tags: null }]) {
      expectProblem(
        await api.patch(`${EXERCISES}/system/${made.json.id}`, { as, body: bad }),
        422,
        "invalid_request",
      );
    }
  }),
);

test(
  "a change of what is no longer as If-Match says is refused, and changes nothing",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const { json: made } = await api.post(`${EXERCISES}/user`, { as, body: minimal });
    const url = `${EXERCISES}/user/${made.id}`;
    const etag = (await api.get(`${EXERCISES}/${made.id}`, { as })).headers.get("etag") ?? "";
    const change = (ifMatch: string, name: string) =>
      api.patch(url, { as, body: { name }, headers: { "if-match": ifMatch } });
    expectStatus(await change('"1"', "Zq Two"), 200);
    expectProblem(
      await change('"1"', "Zq Three"),
      412,
      "exercises.stale",
      "It was changed meanwhile: its version is 2",
    );
    expectProblem(await change(etag, "Zq Three"), 412, "exercises.stale");
    expectProblem(
      await api.delete(`${EXERCISES}/${made.id}`, { as, headers: { "if-match": '"1"' } }),
      412,
      "exercises.stale",
    );
    const now = await api.get(`${EXERCISES}/${made.id}`, { as });
    expect([now.json.name, now.json.version]).toEqual(["Zq Two", 2]);
    expectStatus(await change(now.headers.get("etag") ?? "", "Zq Four"), 200);
    expectStatus(await change("*", "Zq Five"), 200);
    expectStatus(await change('"7", "4"', "Zq Six"), 200);
    const compressed = (await api.get(`${EXERCISES}/${made.id}`, { as })).headers.get("etag") ?? "";
    expectStatus(await change(`W/${compressed}`, "Zq Seven"), 200);
  }),
);

test(
  "what is deleted is gone from every list at once; the catalog's only a superuser deletes",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const superuser = await asSuperuser(api);
    const own = await makeExercise(api, { owner, name: "Zq Own" });
    const shared = await makeExercise(api, { name: "Zq Shared" });
    const names = async (who: string) =>
      (await api.get(`${EXERCISES}?searchString=zq`, { as: who })).json.items.map(
        ({ name }: { name: string }) => name,
      );
    expect([await names(as), await names(superuser)]).toEqual([
      ["Zq Own", "Zq Shared"],
      ["Zq Shared"],
    ]);
    expectProblem(
      await api.delete(`${EXERCISES}/${own}`, { as: superuser }),
      404,
      "exercises.not_found",
      "Exercise not found",
    );
    expectProblem(
      await api.delete(`${EXERCISES}/${shared}`, { as }),
      403,
      "exercises.not_deletable",
      "You do not have permission to delete this exercise",
    );
    expectProblem(
      await api.delete(`${EXERCISES}/${ABSENT}`, { as }),
      404,
      "exercises.not_found",
      "Exercise not found",
    );
    expectStatus(await api.delete(`${EXERCISES}/${own}`, { as }), 204);
    expect(await names(as)).toEqual(["Zq Shared"]);
    expectStatus(await api.delete(`${EXERCISES}/${shared}`, { as: superuser }), 204);
    expect([await names(as), await names(superuser)]).toEqual([[], []]);
    expectProblem(await api.delete(`${EXERCISES}/${own}`, { as }), 404, "exercises.not_found");
  }),
);

test(
  "exercises of a deleted user are in nobody's list",
  withApi(async (api) => {
    const owner = await makeUser(api);
    const as = await asSuperuser(api);
    const id = await makeExercise(api, { owner, name: "Zq Orphan" });
    expectStatus(await api.get(`${EXERCISES}/${id}`, { as: await signedIn(api, owner) }), 200);
    expectStatus(await api.delete(`/api/v1/users/${owner.id}`, { as }), 204);
    expect((await api.get(`${EXERCISES}?searchString=zq`, { as })).json.total).toBe(0);
    const [row] = await api.deps.db.sql`
      select (select count(*) from exercises where name = 'Zq Orphan') + (select count(*) from exercise_counts where owner_id = ${owner.id}) as left`;
    expect(Number(row?.left)).toBe(0);
  }),
);

test(
  "a write takes at most three statements",
  withApi(async (api) => {
    const as = await asSuperuser(api);
    await api.get("/api/v1/access/me", { as });
    const all = { ...system, secondaryMuscles: [2, 3], equipment: [1, 2] };
    let id = "";
    const create = async () =>
      (id = (await api.post(`${EXERCISES}/system`, { as, body: all })).json.id);
    expect((await statementsOf(create)).length).toBeLessThanOrEqual(3);
    const change = () =>
      api.patch(`${EXERCISES}/system/${id}`, {
        as,
        body: { ...all, name: "Zq Two", equipment: [3] },
      });
    expect((await statementsOf(change)).length).toBeLessThanOrEqual(3);
    expect(
      (await statementsOf(() => api.delete(`${EXERCISES}/${id}`, { as }))).length,
    ).toBeLessThanOrEqual(3);
  }),
);
