import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";

type Named = { id: number; name: string };

async function found(api: Api, as: string, search: string, more = ""): Promise<string[]> {
  const answer = await api.get(`${EXERCISES}?searchString=${encodeURIComponent(search)}${more}`, {
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
])("who searches %p finds a kind of %p first", async (search, name) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const names = await found(api, as, search);
    expect(names[0]).toEndWith(name);
  })();
});

test(
  "what is searched comes by relevance unless another order is asked for",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    for (const name of ["A zqx in a long name", "Zqx", "B zqx"])
      await makeExercise(api, { owner, name });
    const relevant = await found(api, as, "zqx");
    expect(relevant).toEqual(["Zqx", "B zqx", "A zqx in a long name"]);
    expect(await found(api, as, "zqx", "&orderBy=relevance")).toEqual(relevant);
    expect(await found(api, as, "zqx", "&orderBy=name")).toEqual([
      "A zqx in a long name",
      "B zqx",
      "Zqx",
    ]);
  }),
);

test(
  "an exact alias comes before names that only hold it",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    await makeExercise(api, { name: "Zqy lever press" });
    await makeExercise(api, { name: "Something Else", aliases: ["zqy"] });
    expect(await found(api, as, "zqy")).toEqual(["Something Else", "Zqy lever press"]);
  }),
);

test(
  "typing errors are forgiven in one's own exercises too, and nobody else's are found",
  withApi(async (api) => {
    const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    await makeExercise(api, { owner: owner.user, name: "Quixotic Zephyr" });
    expect(await found(api, owner.as, "qixotic zephir")).toEqual(["Quixotic Zephyr"]);
    expect(await found(api, other.as, "quixotic zephyr")).toEqual([]);
    expect(await found(api, owner.as, "quixotic zephyr", "&scope=system")).toEqual([]);
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
])("%p in a search is an ordinary text", async (text) => {
  await withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    await makeExercise(api, { owner, name: `Zqz ${text} one` });
    await makeExercise(api, { owner, name: "Zqz two" });
    const names = await found(api, as, `zqz ${text}`, "&scope=user");
    expect(names).not.toContain("Zqz two");
  })();
});

test(
  "facets count what a list of one filter more would have",
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
      const [muscle, other] = [facets.primaryMuscles[0], facets.secondaryMuscles.at(-1)];
      if (muscle) expect(await total(`${query}&primaryMuscles=${muscle.id}`)).toBe(muscle.count);
      if (other) expect(await total(`${query}&secondaryMuscles=${other.id}`)).toBe(other.count);
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
  "facets of nothing are empty, and what a list refuses they refuse",
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
