import { expect, test } from "bun:test";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { makeExercise, makeSignedIn } from "#test/make.ts";
import { statementsOf } from "#test/transaction.ts";

const P = "/api/v1/exercises";
const ABSENT = "01a209f2-f7f5-7524-94bc-8035f4f8979b";
type Item = { id: string; name: string };

test(
  "an exercise is what its tables say",
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
    const answer = await api.get(`${P}/${id.toUpperCase()}`, { as });
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
  "what is not yours to know of is not there",
  withApi(async (api) => {
    const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    const id = await makeExercise(api, { owner: owner.user, name: "Private Curl" });
    expectStatus(await api.get(`${P}/${id}`, { as: owner.as }), 200);
    expectProblem(await api.get(`${P}/${id}`, { as: other.as }), 404, "exercises.not_found", "Exercise not found");
    expectProblem(await api.get(`${P}/${ABSENT}`, { as: other.as }), 404, "exercises.not_found", "Exercise not found");
    expectProblem(
      await api.get(`${P}/criteria?name=Private%20Curl`, { as: other.as }),
      404,
      "exercises.not_found",
      "Exercise with 'Private Curl' not found",
    );
    expect((await api.get(`${P}?scope=all&searchString=private`, { as: other.as })).json.total).toBe(0);
    expectProblem(await api.get(`${P}/nonsense`, { as: owner.as }), 422, "invalid_request");
  }),
);

test(
  "an exercise is found by slug in the catalog, by exact name among one's own, and by one of them only",
  withApi(async (api) => {
    const { user, as } = await makeSignedIn(api);
    await makeExercise(api, { owner: user, name: "My Own Squat" });
    expect((await api.get(`${P}/criteria?slug=one-arm-push-up`, { as })).json.name).toBe("One-Arm Push-Up");
    expect((await api.get(`${P}/criteria?name=My%20Own%20Squat`, { as })).json.isSystemDefault).toBe(false);
    expectProblem(
      await api.get(`${P}/criteria?name=my%20own%20squat`, { as }),
      404,
      "exercises.not_found",
      "Exercise with 'my own squat' not found",
    );
    expectProblem(
      await api.get(`${P}/criteria?slug=my-own-squat`, { as }),
      404,
      "exercises.not_found",
      "Exercise with 'my-own-squat' not found",
    );
    expectProblem(
      await api.get(`${P}/criteria?slug=a&name=b`, { as }),
      400,
      "exercises.ambiguous_criteria",
      "You must specify only one of the following: slug or name",
    );
    expectProblem(
      await api.get(`${P}/criteria`, { as }),
      400,
      "exercises.missing_criteria",
      "Either name or slug must be provided",
    );
  }),
);

/** Five exercises of one's own that differ in everything that a list can be filtered and sorted by. */
async function withFive(work: (names: (query: string) => Promise<string[]>, api: Api, as: string) => Promise<void>) {
  await withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const at = (day: number) => `2026-01-0${day}T00:00:00Z`;
    await makeExercise(api, {
      owner,
      name: "Alpha",
      primary: ["chest"],
      equipment: ["barbell"],
      category: "strength",
      difficulty: "expert",
      force: "push",
      mechanic: "compound",
      createdAt: at(3),
      updatedAt: at(5),
    });
    await makeExercise(api, {
      owner,
      name: "beta",
      primary: ["chest"],
      secondary: ["triceps"],
      equipment: ["dumbbell"],
      category: "cardio",
      difficulty: "beginner",
      createdAt: at(1),
      updatedAt: at(4),
    });
    await makeExercise(api, {
      owner,
      name: "Gamma 100%",
      primary: ["biceps"],
      equipment: ["dumbbell"],
      tags: ["core"],
      force: "pull",
      mechanic: "isolation",
      createdAt: at(2),
      updatedAt: at(3),
    });
    await makeExercise(api, {
      owner,
      name: "Delta_Élan",
      primary: ["biceps", "forearms"],
      difficulty: "intermediate",
      force: "static",
      createdAt: at(5),
      updatedAt: at(2),
    });
    await makeExercise(api, {
      owner,
      name: "Epsilon",
      primary: ["calves"],
      aliases: ["omega press"],
      category: "cardio",
      createdAt: at(4),
      updatedAt: at(1),
    });
    const entries = await api.deps.db.sql<{ kind: string; name: string; id: number }[]>`
      select 'muscle' as kind, name, id from muscle_groups union all select 'equipment', name, id from equipment
      union all select 'tag', name, id from exercise_tags`;
    const ids = Object.fromEntries(entries.map(({ kind, name, id }) => [`${kind}:${name}`, id]));
    const names = async (query: string) => {
      const answer = await api.get(`${P}?scope=user&${query.replaceAll(/[a-z]+:[a-z]+/g, (key) => String(ids[key]))}`, {
        as,
      });
      expectStatus(answer, 200);
      return (answer.json.items as Item[]).map(({ name }) => name);
    };
    await work(names, api, as);
  })();
}

const [A, B, G, D, E] = ["Alpha", "beta", "Gamma 100%", "Delta_Élan", "Epsilon"];

test.each<[string, (string | undefined)[]]>([
  ["", [A, B, D, E, G]],
  ["sortOrder=desc", [G, E, D, B, A]],
  ["orderBy=difficultyLevel", [B, G, E, D, A]],
  ["orderBy=category", [B, E, A, G, D]],
  ["orderBy=createdAt", [B, G, A, E, D]],
  ["orderBy=createdAt&sortOrder=desc", [D, E, A, G, B]],
  ["orderBy=updatedAt", [E, D, G, B, A]],
  ["orderBy=relevance&searchString=a", [A, B, D, E, G]],
  ["primaryMuscles=muscle:chest", [A, B]],
  ["primaryMuscles=muscle:chest&primaryMuscles=muscle:forearms", [A, B, D]],
  ["primaryMuscles=muscle:chest&secondaryMuscles=muscle:triceps", [B]],
  ["primaryMuscles=muscle:biceps&equipment=equipment:dumbbell", [G]],
  ["equipment=equipment:dumbbell", [B, G]],
  ["tags=tag:core", [G]],
  ["tags=tag:core&equipment=equipment:barbell", []],
  ["category=cardio", [B, E]],
  ["difficultyLevel=intermediate", [D]],
  ["force=static", [D]],
  ["mechanic=isolation", [G]],
  ["category=strength&force=push&mechanic=compound", [A]],
  ["searchString=%20ALPHA%20", [A]],
  ["searchString=%25", [G]],
  ["searchString=_", [D]],
  ["searchString=%5C", []],
  ["searchString=elan", [D]],
  ["searchString=press%20omega", [E]],
  ["searchString=zzz", []],
  ["pageSize=2&currentPage=2", [D, E]],
  ["pageSize=100&currentPage=2", []],
])("one's own exercises by %p are %p", async (query, expected) => {
  await withFive(async (names) => {
    const listed = await names(query);
    // Similarity has no order that people would predict; which ones are found is what counts.
    const isRanked =
      query.includes("relevance") || query.startsWith("orderBy=difficulty") || query.startsWith("orderBy=category");
    expect(isRanked ? listed.toSorted() : listed).toEqual((isRanked ? expected.toSorted() : expected) as string[]);
  });
});

test("the total is true on every page, past the end too, and pages neither repeat nor skip among equals", async () => {
  await withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    for (let n = 0; n < 23; n++) await makeExercise(api, { owner, name: `Same ${String(n).padStart(2, "0")}` });
    for (const orderBy of ["name", "difficultyLevel", "category", "createdAt", "updatedAt", "relevance"]) {
      for (const sortOrder of ["asc", "desc"]) {
        const seen: string[] = [];
        for (let page = 1; page <= 6; page++) {
          const query = `scope=user&orderBy=${orderBy}&sortOrder=${sortOrder}&pageSize=5&currentPage=${page}`;
          const { json } = await api.get(`${P}?${query}`, { as });
          expect([json.total, json.limit, json.offset]).toEqual([23, 5, (page - 1) * 5]);
          seen.push(...(json.items as Item[]).map(({ id }) => id));
        }
        expect(new Set(seen).size).toBe(23);
        expect(seen).toHaveLength(23);
      }
    }
  })();
});

test(
  "scopes are the catalog, one's own, or both",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const total = async (scope: string) => (await api.get(`${P}${scope}`, { as })).json.total as number;
    const system = await total("?scope=system");
    await makeExercise(api, { owner, name: "One More" });
    expect(system).toBeGreaterThanOrEqual(100);
    expect([await total("?scope=user"), await total("?scope=all"), await total("")]).toEqual([
      1,
      system + 1,
      system + 1,
    ]);
  }),
);

test.each([
  "scope=mine",
  "orderBy=nonsense",
  "sortOrder=up",
  "pageSize=0",
  "pageSize=101",
  "currentPage=0",
  "pageSize=x",
  "primaryMuscles=0",
  "tags=32768",
  "equipment=x",
  "category=nonsense",
  "force=jump",
  "nonsense=1",
  "category=cardio&category=strength",
  "searchString=%00",
  "searchString=%zz",
])("a list of exercises by %s is refused", async (query) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    expectProblem(await api.get(`${P}?${query}`, { as }), 422, "invalid_request");
  })();
});

test(
  "every read of exercises takes one statement, relations included",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const [first] = (await api.get(`${P}?scope=system`, { as })).json.items as [Item & { slug: string }];
    const reads = [
      P,
      `${P}?searchString=squat&tags=1&equipment=1&orderBy=relevance`,
      `${P}/${first.id}`,
      `${P}/criteria?slug=${first.slug}`,
    ];
    for (const path of reads) expect(await statementsOf(() => api.get(path, { as }))).toHaveLength(1);
  }),
);

test("image paths get the address of the image host in front", async () => {
  const settings = { CDN_RESOURCES_URL: "https://cdn.example.com/" };
  await withApi(
    async (api) => {
      const { user: owner, as } = await makeSignedIn(api);
      const id = await makeExercise(api, { owner, name: 'Say "imagePathStart":"', imagePathStart: "/a/b.png" });
      const { json } = await api.get(`${P}/${id}`, { as });
      expect(json).toMatchObject({
        imagePathStart: "https://cdn.example.com/exercises/a/b.png",
        imagePathEnd: null,
        name: 'Say "imagePathStart":"',
      });
    },
    { settings },
  )();
});
