import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Item = { id: string; name: string };

test(
  "an exercise document equals its tables",
  withApi(async (api) => {
    const { user, as } = await makeSignedIn(api);
    const id = await makeExercise(api, {
      owner: user,
      name: "My Press",
      primary: ["triceps", "chest"],
      secondary: ["shoulders"],
      equipment: ["barbell"],
      instructions: "One\nTwo",
      force: "push",
      mechanic: "compound",
      difficulty: "expert",
    });
    const answer = await api.get(`${EXERCISES}/${id.toUpperCase()}`, { as });
    expectStatus(answer, 200);
    expect(answer.json).toMatchObject({
      id,
      name: "My Press",
      force: "push",
      mechanic: "compound",
      difficultyLevel: "expert",
      category: "strength",
      instructions: "One\nTwo",
      imagePathStart: null,
      tags: [],
      slug: null,
      isSystemDefault: false,
      createdBy: user.id,
      version: 1,
      createdAt: "2026-01-01T00:00:00.000000Z",
    });
    const names = (entries: { name: string }[]) => entries.map(({ name }) => name);
    expect([
      names(answer.json.primaryMuscles),
      names(answer.json.secondaryMuscles),
      names(answer.json.equipment),
    ]).toEqual([["chest", "triceps"], ["shoulders"], ["barbell"]]);
  }),
);

test(
  "another user's exercise is answered like one that does not exist",
  withApi(async (api) => {
    const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    const id = await makeExercise(api, { owner: owner.user, name: "Private Curl" });
    expectStatus(await api.get(`${EXERCISES}/${id}`, { as: owner.as }), 200);
    expectProblem(
      await api.get(`${EXERCISES}/${id}`, { as: other.as }),
      404,
      "exercises.not_found",
      "Exercise not found",
    );
    expectProblem(
      await api.get(`${EXERCISES}/${ABSENT}`, { as: other.as }),
      404,
      "exercises.not_found",
      "Exercise not found",
    );
    expectProblem(
      await api.get(`${EXERCISES}/criteria?name=Private%20Curl`, { as: other.as }),
      404,
      "exercises.not_found",
      "Exercise with 'Private Curl' not found",
    );
    expect(
      (await api.get(`${EXERCISES}?scope=all&searchString=private`, { as: other.as })).json.total,
    ).toBe(0);
    expectProblem(await api.get(`${EXERCISES}/nonsense`, { as: owner.as }), 422, "invalid_request");
  }),
);

test(
  "an exercise is found by slug in the catalog or by exact name among own exercises, not by both",
  withApi(async (api) => {
    const { user, as } = await makeSignedIn(api);
    await makeExercise(api, { owner: user, name: "My Own Squat" });
    expect((await api.get(`${EXERCISES}/criteria?slug=one-arm-push-up`, { as })).json.name).toBe(
      "One-Arm Push-Up",
    );
    expect(
      (await api.get(`${EXERCISES}/criteria?name=My%20Own%20Squat`, { as })).json.isSystemDefault,
    ).toBe(false);
    expectProblem(
      await api.get(`${EXERCISES}/criteria?name=my%20own%20squat`, { as }),
      404,
      "exercises.not_found",
      "Exercise with 'my own squat' not found",
    );
    expectProblem(
      await api.get(`${EXERCISES}/criteria?slug=my-own-squat`, { as }),
      404,
      "exercises.not_found",
      "Exercise with 'my-own-squat' not found",
    );
    expectProblem(
      await api.get(`${EXERCISES}/criteria?slug=a&name=b`, { as }),
      400,
      "exercises.ambiguous_criteria",
      "You must specify only one of the following: slug or name",
    );
    expectProblem(
      await api.get(`${EXERCISES}/criteria`, { as }),
      400,
      "exercises.missing_criteria",
      "Either name or slug must be provided",
    );
  }),
);

test(
  "every read of exercises takes one statement, relations included, and none if it is cached",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const [first] = (await api.get(`${EXERCISES}?scope=system`, { as })).json.items as [
      Item & { slug: string },
    ];
    // The first search loads the search index.
    await api.get(`${EXERCISES}?searchString=press`, { as });
    const reads = [
      `${EXERCISES}?pageSize=3`,
      `${EXERCISES}?searchString=squat&tags=1&equipment=1&orderBy=relevance`,
      `${EXERCISES}?searchString=sqat`,
      `${EXERCISES}/facets?category=cardio`,
      `${EXERCISES}/${first.id}`,
      `${EXERCISES}/criteria?slug=${first.slug}`,
    ];
    for (const path of reads) {
      expect(await statementsOf(() => api.get(path, { as }))).toHaveLength(1);
      expect(await statementsOf(() => api.get(path, { as }))).toHaveLength(0);
    }
  }),
);

test("image paths are prefixed with the URL of the image host", async () => {
  const settings = { CDN_RESOURCES_URL: "https://cdn.example.com/" };
  await withApi(
    async (api) => {
      const { user: owner, as } = await makeSignedIn(api);
      const id = await makeExercise(api, {
        owner,
        name: 'Say "imagePathStart":"',
        imagePathStart: "/a/b.png",
      });
      const { json } = await api.get(`${EXERCISES}/${id}`, { as });
      expect(json).toMatchObject({
        imagePathStart: "https://cdn.example.com/exercises/a/b.png",
        imagePathEnd: null,
        name: 'Say "imagePathStart":"',
      });
    },
    { settings },
  )();
});

test.each([
  ["", "/a/b.png"],
  ["https://cdn.example.com/$&/$1", "https://cdn.example.com/$&/$1/exercises/a/b.png"],
  ['https://cdn.example.com/"', 'https://cdn.example.com/"/exercises/a/b.png'],
])("with the image host %p lists have the image URL %p", (host, expected) =>
  withApi(
    async (api) => {
      const { user: owner, as } = await makeSignedIn(api);
      await makeExercise(api, {
        owner,
        name: "Zq One",
        imagePathStart: "/a/b.png",
        imagePathEnd: "/a/b.png",
      });
      const [item] = (await api.get(`${EXERCISES}?scope=user`, { as })).json.items;
      expect([item.imagePathStart, item.imagePathEnd]).toEqual([expected, expected]);
    },
    { settings: { CDN_RESOURCES_URL: host } },
  )(),
);

test(
  "every system exercise's document equals its tables",
  withApi(async (api, { sql }) => {
    const { as } = await makeSignedIn(api);
    const links = (table: string, column: string, catalog: string) => sql`(
      select coalesce(json_agg(json_build_object('id', c.id, 'name', c.name) order by c.id), '[]')
      from ${sql(table)} l join ${sql(catalog)} c on c.id = l.${sql(column)} where l.exercise_id = e.id)`;
    const rows = await sql`
      select id, name, force, mechanic, difficulty as "difficultyLevel", category, instructions, slug, version,
        image_path_start as "imagePathStart", image_path_end as "imagePathEnd", owner_id as "createdBy",
        true as "isSystemDefault", created_at as "createdAt", updated_at as "updatedAt",
        ${links("exercise_primary_muscles", "muscle_group_id", "muscle_groups")} as "primaryMuscles",
        ${links("exercise_secondary_muscles", "muscle_group_id", "muscle_groups")} as "secondaryMuscles",
        ${links("exercise_equipment", "equipment_id", "equipment")} as equipment,
        ${links("exercise_tag_links", "exercise_tag_id", "exercise_tags")} as tags
      from exercises e where owner_id is null order by lower(name), id limit 300`;
    const instant = (time: unknown) => new Date(time as string).toISOString();
    const documents: Record<string, unknown>[] = [];
    for (const page of [1, 2, 3]) {
      const { json } = await api.get(`${EXERCISES}?scope=system&pageSize=100&currentPage=${page}`, {
        as,
      });
      documents.push(...json.items);
    }
    const comparable = (row: Record<string, unknown>) => ({
      ...row,
      createdAt: instant(row.createdAt),
      updatedAt: instant(row.updatedAt),
    });
    expect(documents.map(comparable)).toEqual(rows.map(comparable));
  }),
);

test.each([
  ["criteria?name=&slug=", 400, "Either name or slug must be provided"],
  ["criteria?name=%20", 400, "Either name or slug must be provided"],
  ["criteria?slug=&name=Zq%20%20One%20", 200, undefined],
  ["criteria?slug=%20ONE-arm-push-up", 404, "Exercise with 'ONE-arm-push-up' not found"],
  ["criteria?name=One-Arm%20Push-Up", 404, "Exercise with 'One-Arm Push-Up' not found"],
])("%s has status %d", (path, status, detail) =>
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    await makeExercise(api, { owner, name: "Zq One" });
    const answer = await api.get(`${EXERCISES}/${path}`, { as });
    expectStatus(answer, status);
    expect(answer.json.detail).toBe(detail);
  })(),
);
