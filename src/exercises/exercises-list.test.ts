import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";

type Item = { id: string; name: string };

/** Runs `work` with five own exercises that differ in every field that a list filters or sorts by. */
async function withFive(
  work: (names: (query: string) => Promise<string[]>, api: Api, as: string) => Promise<void>,
) {
  await withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const timeOf = (day: number) => `2026-01-0${day}T00:00:00Z`;
    await makeExercise(api, {
      owner,
      name: "Alpha",
      primary: ["chest"],
      equipment: ["barbell"],
      category: "strength",
      difficulty: "expert",
      force: "push",
      mechanic: "compound",
      createdAt: timeOf(3),
      updatedAt: timeOf(5),
    });
    await makeExercise(api, {
      owner,
      name: "beta",
      primary: ["chest"],
      secondary: ["triceps"],
      equipment: ["dumbbell"],
      category: "cardio",
      difficulty: "beginner",
      createdAt: timeOf(1),
      updatedAt: timeOf(4),
    });
    await makeExercise(api, {
      owner,
      name: "Gamma 100%",
      primary: ["biceps"],
      equipment: ["dumbbell"],
      tags: ["core"],
      force: "pull",
      mechanic: "isolation",
      createdAt: timeOf(2),
      updatedAt: timeOf(3),
    });
    await makeExercise(api, {
      owner,
      name: "Delta_Élan",
      primary: ["biceps", "forearms"],
      difficulty: "intermediate",
      force: "static",
      createdAt: timeOf(5),
      updatedAt: timeOf(2),
    });
    await makeExercise(api, {
      owner,
      name: "Epsilon",
      primary: ["calves"],
      aliases: ["omega press"],
      category: "cardio",
      createdAt: timeOf(4),
      updatedAt: timeOf(1),
    });
    const entries = await api.deps.db.sql<{ kind: string; name: string; id: number }[]>`
      select 'muscle' as kind, name, id from muscle_groups
      union all select 'equipment', name, id from equipment
      union all select 'tag', name, id from exercise_tags`;
    const ids = Object.fromEntries(entries.map(({ kind, name, id }) => [`${kind}:${name}`, id]));
    const names = async (query: string) => {
      const byId = query.replaceAll(/[a-z]+:[a-z]+/g, (key) => String(ids[key]));
      const answer = await api.get(`${EXERCISES}?scope=user&${byId}`, { as });
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
  ["orderBy=difficultyLevel&sortOrder=desc", [A, D, E, G, B]],
  ["orderBy=category&sortOrder=desc", [D, G, A, E, B]],
  ["orderBy=updatedAt&sortOrder=desc", [A, B, G, D, E]],
  ["orderBy=relevance", [A, B, D, E, G]],
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
])("a list of own exercises by %p has %p", async (query, expected) => {
  await withFive(async (names) => expect(await names(query)).toEqual(expected as string[]));
});

test(
  "by relevance the name nearest to the query comes first, or last if descending",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    for (const name of [
      "A seated zq press on a long machine",
      "Zq press on a machine",
      "Zq Préss",
    ]) {
      await makeExercise(api, { owner, name });
    }
    const names = async (query: string) =>
      (
        await api.get(`${EXERCISES}?searchString=zq%20press&orderBy=relevance&${query}`, { as })
      ).json.items.map(({ name }: Item) => name);
    const expected = ["Zq Préss", "Zq press on a machine", "A seated zq press on a long machine"];
    expect(await names("")).toEqual(expected);
    expect(await names("sortOrder=desc")).toEqual(expected.toReversed());
  }),
);

test("the total is the same on every page, and pages neither repeat nor skip exercises with equal keys", async () => {
  await withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const ids: string[] = [];
    for (let n = 0; n < 23; n++) {
      // Random ids: the default ones are in the order of creation, and so of the names.
      const id = crypto.randomUUID();
      ids.push(await makeExercise(api, { owner, id, name: `Same ${String(n).padStart(2, "0")}` }));
    }
    for (const orderBy of [
      "name",
      "difficultyLevel",
      "category",
      "createdAt",
      "updatedAt",
      "relevance",
    ]) {
      for (const sortOrder of ["asc", "desc"]) {
        const listedIds: string[] = [];
        for (let page = 1; page <= 6; page++) {
          const query = `scope=user&orderBy=${orderBy}&sortOrder=${sortOrder}&pageSize=5&currentPage=${page}`;
          const { json } = await api.get(`${EXERCISES}?${query}`, { as });
          expect([json.total, json.limit, json.offset]).toEqual([23, 5, (page - 1) * 5]);
          listedIds.push(...(json.items as Item[]).map(({ id }) => id));
        }
        expect(new Set(listedIds).size).toBe(23);
        expect(listedIds).toHaveLength(23);
        // The exercises differ only by name, so the id decides.
        const isByName = orderBy === "name" || orderBy === "relevance";
        const ordered = isByName ? ids : ids.toSorted();
        expect(listedIds).toEqual(sortOrder === "asc" ? ordered : ordered.toReversed());
      }
    }
  })();
});

test(
  "the scopes are the catalog, the user's own exercises, and both",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const total = async (scope: string) =>
      (await api.get(`${EXERCISES}${scope}`, { as })).json.total as number;
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
])("a list of exercises by %s is rejected", async (query) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    expectProblem(await api.get(`${EXERCISES}?${query}`, { as }), 422, "invalid_request");
  })();
});

test(
  "different filters with the same id, and different scopes, never share a cached answer",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    await makeExercise(api, { owner, name: "Zq One", equipment: ["ab wheel"] });
    const queries = [
      "equipment=1",
      "tags=1",
      "primaryMuscles=1",
      "secondaryMuscles=1",
      "scope=user",
      "scope=system",
      "",
    ];
    const totals = async () =>
      Promise.all(
        queries.map(
          async (query) => (await api.get(`${EXERCISES}?${query}`, { as })).json.total as number,
        ),
      );
    const [computed, cached] = [await totals(), await totals()];
    expect(cached).toEqual(computed);
    expect(new Set(computed).size).toBe(queries.length);
  }),
);
