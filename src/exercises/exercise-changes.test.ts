import { expect, test } from "bun:test";
import { MINIMAL_EXERCISE, SYSTEM_EXERCISE } from "#test/exercise-bodies.ts";
import { ABSENT, makeExercise, makeSignedIn, makeUser, signedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

async function asSuperuser(api: Api) {
  return (await makeSignedIn(api, { roleSlug: "superuser" })).as;
}

test(
  "a change writes only the given fields; null and [] clear a field",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const body = {
      ...MINIMAL_EXERCISE,
      secondaryMuscles: [2],
      equipment: [1],
      force: "push",
      mechanic: "compound",
      instructions: "A",
    };
    const { json: created } = await api.post(`${EXERCISES}/user`, { as, body });
    const url = `${EXERCISES}/user/${created.id}`;
    const nothing = await api.patch(url, { as, body: {} });
    expectStatus(nothing, 200);
    expect(nothing.json).toEqual(created);
    const renamed = await api.patch(url, { as, body: { name: "Zq Push", primaryMuscles: [4] } });
    expectStatus(renamed, 200);
    const { name, primaryMuscles, updatedAt, version, ...rest } = renamed.json;
    const { name: _n, primaryMuscles: _p, updatedAt: before, version: _v, ...unchanged } = created;
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
    expect((await api.get(`${EXERCISES}/${created.id}`, { as })).json).toEqual(cleared.json);
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
  "a renamed system exercise is found only by its new slug",
  withApi(async (api) => {
    const as = await asSuperuser(api);
    const created = await api.post(`${EXERCISES}/system`, { as, body: SYSTEM_EXERCISE });
    const { json } = await api.patch(`${EXERCISES}/system/${created.json.id}`, {
      as,
      body: { name: "Zq Push", tags: [3] },
    });
    expect([json.slug, json.tags[0].id, json.version]).toEqual(["zq-push", 3, 2]);
    expectStatus(await api.get(`${EXERCISES}/criteria?slug=zq-push`, { as }), 200);
    expectStatus(await api.get(`${EXERCISES}/criteria?slug=zq-press`, { as }), 404);
    for (const bad of [{ tags: [] }, { instructions: null }, { tags: null }]) {
      expectProblem(
        await api.patch(`${EXERCISES}/system/${created.json.id}`, { as, body: bad }),
        422,
        "invalid_request",
      );
    }
  }),
);

test(
  "a change whose If-Match is stale is rejected and writes nothing",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const { json: created } = await api.post(`${EXERCISES}/user`, { as, body: MINIMAL_EXERCISE });
    const url = `${EXERCISES}/user/${created.id}`;
    const etag = (await api.get(`${EXERCISES}/${created.id}`, { as })).headers.get("etag") ?? "";
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
      await api.delete(`${EXERCISES}/${created.id}`, { as, headers: { "if-match": '"1"' } }),
      412,
      "exercises.stale",
    );
    const current = await api.get(`${EXERCISES}/${created.id}`, { as });
    expect([current.json.name, current.json.version]).toEqual(["Zq Two", 2]);
    expectStatus(await change(current.headers.get("etag") ?? "", "Zq Four"), 200);
    expectStatus(await change("*", "Zq Five"), 200);
    expectStatus(await change('"7", "4"', "Zq Six"), 200);
    const compressed =
      (await api.get(`${EXERCISES}/${created.id}`, { as })).headers.get("etag") ?? "";
    expectStatus(await change(`W/${compressed}`, "Zq Seven"), 200);
  }),
);

test(
  "a deleted exercise disappears from every list at once; only superusers delete system exercises",
  withApi(async (api) => {
    const { user: owner, as } = await makeSignedIn(api);
    const superuser = await asSuperuser(api);
    const own = await makeExercise(api, { owner, name: "Zq Own" });
    const shared = await makeExercise(api, { name: "Zq Shared" });
    const names = async (user: string) =>
      (await api.get(`${EXERCISES}?searchString=zq`, { as: user })).json.items.map(
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
  "exercises of a deleted user are in no list",
  withApi(async (api) => {
    const owner = await makeUser(api);
    const as = await asSuperuser(api);
    const id = await makeExercise(api, { owner, name: "Zq Orphan" });
    expectStatus(await api.get(`${EXERCISES}/${id}`, { as: await signedIn(api, owner) }), 200);
    expectStatus(await api.delete(`/api/v1/users/${owner.id}`, { as }), 204);
    expect((await api.get(`${EXERCISES}?searchString=zq`, { as })).json.total).toBe(0);
    const [row] = await api.deps.db.sql`
      select (select count(*) from exercises where name = 'Zq Orphan')
        + (select count(*) from exercise_counts where owner_id = ${owner.id}) as left`;
    expect(Number(row?.left)).toBe(0);
  }),
);

test(
  "a write takes at most three statements",
  withApi(async (api) => {
    const as = await asSuperuser(api);
    await api.get("/api/v1/access/me", { as });
    const all = { ...SYSTEM_EXERCISE, secondaryMuscles: [2, 3], equipment: [1, 2] };
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
