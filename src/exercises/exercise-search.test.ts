import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";

type Named = { id: number; name: string };

async function search(api: Api, as: string, query: string, more = ""): Promise<string[]> {
  const answer = await api.get(`${EXERCISES}?searchString=${encodeURIComponent(query)}${more}`, {
    as,
  });
  expectStatus(answer, 200);
  return answer.json.items.map(({ name }: Named) => name);
}

test.each([
  ["bulgrian split sqat", "Bulgarian Split Squat"],
  ["split squat bulgarian", "Bulgarian Split Squat"],
  ["BÚLGARIAN", "Bulgarian Split Squat"],
  ["romainan deadlfit", "Romanian Deadlift"],
  ["rdl", "Romanian Deadlift"],
  ["ohp", "Barbell Overhead Press"],
  ["pullup", "Pull-Up"],
  ["pull-up", "Pull-Up"],
  ["pull up", "Pull-Up"],
  ["skullcrusher", "Skull Crusher"],
  ["one arm pushup", "One-Arm Push-Up"],
])("a search for %p finds a kind of %p first", async (query, name) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const names = await search(api, as, query);
    expect(names[0]).toEndWith(name);
  })();
});

test(
  "search results are ordered by relevance by default",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    for (const name of ["A zqx in a long name", "Zqx", "B zqx"])
      await makeExercise(api, { owner, name });
    const relevant = await search(api, as, "zqx");
    expect(relevant).toEqual(["Zqx", "B zqx", "A zqx in a long name"]);
    expect(await search(api, as, "zqx", "&orderBy=relevance")).toEqual(relevant);
    expect(await search(api, as, "zqx", "&orderBy=name")).toEqual([
      "A zqx in a long name",
      "B zqx",
      "Zqx",
    ]);
  }),
);

test(
  "an exact alias ranks before names that only contain it",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    await makeExercise(api, { name: "Zqy lever press" });
    await makeExercise(api, { name: "Something Else", aliases: ["zqy"] });
    expect(await search(api, as, "zqy")).toEqual(["Something Else", "Zqy lever press"]);
  }),
);

test(
  "a search corrects typing errors in the user's own exercises too, and finds no other user's",
  withApi(async (api) => {
    const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    await makeExercise(api, { owner: owner.user, name: "Quixotic Zephyr" });
    expect(await search(api, owner.as, "qixotic zephir")).toEqual(["Quixotic Zephyr"]);
    expect(await search(api, other.as, "quixotic zephyr")).toEqual([]);
    expect(await search(api, owner.as, "quixotic zephyr", "&scope=system")).toEqual([]);
  }),
);

test.each([
  "%",
  "_",
  "\\",
  ".*",
  "a|b",
  "(",
  "[",
  "^",
  "$",
  "*",
  "+?",
  "{2}",
  "\\d",
  "½",
  "…",
  "İ",
  "ﬁ",
  "~",
  "'",
  "💪",
])("%p in a search is ordinary text", async (text) => {
  await withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    await makeExercise(api, { owner, name: `Zqz ${text} one` });
    await makeExercise(api, { owner, name: "Zqz two" });
    const names = await search(api, as, `zqz ${text}`, "&scope=user");
    expect(names).not.toContain("Zqz two");
  })();
});

test(
  "a facet's count equals the total of a list with that filter added",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    await makeExercise(api, { owner, name: "Zq Own", equipment: ["barbell"], category: "cardio" });
    const total = async (query: string) =>
      (await api.get(`${EXERCISES}?pageSize=1&${query}`, { as })).json.total as number;
    for (const query of [
      "",
      "scope=user",
      "scope=system&category=strength",
      "searchString=squat",
      "equipment=1&tags=2",
    ]) {
      const { json: facets } = await api.get(`${EXERCISES}/facets?${query}`, { as });
      expect(facets.total).toBe(await total(query));
      const [primary, secondary] = [facets.primaryMuscles[0], facets.secondaryMuscles.at(-1)];
      if (primary) expect(await total(`${query}&primaryMuscles=${primary.id}`)).toBe(primary.count);
      if (secondary)
        expect(await total(`${query}&secondaryMuscles=${secondary.id}`)).toBe(secondary.count);
      for (const field of ["category", "difficultyLevel", "force", "mechanic"]) {
        const values = facets[field] as { value: string; count: number }[];
        expect(values).toEqual(
          values.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)),
        );
        if (query.includes(field)) continue;
        for (const { value, count } of values)
          expect(await total(`${query}&${field}=${value}`)).toBe(count);
      }
      if (query.includes("equipment")) continue;
      for (const { id, count } of facets.equipment.slice(0, 3))
        expect(await total(`${query}&equipment=${id}`)).toBe(count);
      for (const { id, count } of facets.tags.slice(0, 3))
        expect(await total(`${query}&tags=${id}`)).toBe(count);
    }
  }),
);

test(
  "facets of no exercises are empty, and facets reject the filters that a list rejects",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const empty = await api.get(`${EXERCISES}/facets?scope=user`, { as });
    expect(empty.json).toEqual({
      total: 0,
      primaryMuscles: [],
      secondaryMuscles: [],
      equipment: [],
      tags: [],
      category: [],
      difficultyLevel: [],
      force: [],
      mechanic: [],
    });
    for (const query of ["scope=mine", "tags=0", "orderBy=name", "pageSize=1"]) {
      expectProblem(await api.get(`${EXERCISES}/facets?${query}`, { as }), 422, "invalid_request");
    }
  }),
);
