import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Answer, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { statementsOf } from "#test/transaction.ts";

const CATALOGS = [
  {
    path: "equipment",
    table: "equipment",
    a: "An equipment",
    noun: "Equipment",
    links: { equipment: ["zq kind"] },
  },
  {
    path: "muscle-groups",
    table: "muscle_groups",
    a: "A muscle group",
    noun: "Muscle group",
    links: { secondary: ["zq kind"] },
  },
  {
    path: "exercise-tags",
    table: "exercise_tags",
    a: "An exercise tag",
    noun: "Exercise tag",
    links: { tags: ["zq kind"] },
  },
];

for (const { path, table, a, noun, links } of CATALOGS) {
  const url = `/api/v1/catalogs/${path}`;

  test(
    `${a} is created, renamed and deleted, and every list changes at once`,
    withApi(async (api) => {
      const [{ as }, { as: reader }] = [
        await makeSignedIn(api, { roleSlug: "superuser" }),
        await makeSignedIn(api),
      ];
      const list = async () => (await api.get(`${url}?searchString=zq`, { as: reader })).json;
      expect(await list()).toEqual([]);
      const created = await api.post(url, { as, body: { name: "  Zq \t KIND " } });
      expectStatus(created, 201);
      expect(created.json).toEqual({ id: expect.any(Number), name: "zq kind" });
      expect(await list()).toEqual([created.json]);
      const entry = `${url}/${created.json.id}`;
      expect((await api.get(entry, { as: reader })).json).toEqual(created.json);
      const renamed = await api.patch(entry, { as, body: { name: "ZQ Élan" } });
      expectStatus(renamed, 200);
      expect(renamed.json).toEqual({ ...created.json, name: "zq élan" });
      expect([(await api.get(entry, { as: reader })).json, await list()]).toEqual([
        renamed.json,
        [renamed.json],
      ]);
      const same = await api.patch(entry, { as, body: {} });
      expectStatus(same, 200);
      expect(same.json).toEqual(renamed.json);
      expectStatus(await api.patch(entry, { as, body: { name: "zq élan" } }), 200);
      expectStatus(await api.delete(entry, { as }), 204);
      expect(await list()).toEqual([]);
      const expectGone = (answer: Answer) =>
        expectProblem(
          answer,
          404,
          `${table}.not_found`,
          `${noun} with ID '${created.json.id}' not found`,
        );
      expectGone(await api.get(entry, { as }));
      expectGone(await api.patch(entry, { as, body: { name: "zq kind" } }));
      expectGone(await api.delete(entry, { as }));
      expectProblem(await api.patch(entry, { as, body: {} }), 404, `${table}.not_found`);
    }),
  );

  test(
    `names of ${path} are unique, whatever their case and spaces`,
    withApi(async (api) => {
      const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
      expectStatus(await api.post(url, { as, body: { name: "zq kind" } }), 201);
      const detail = `${a} with the name 'zq kind' already exists`;
      expectProblem(
        await api.post(url, { as, body: { name: " ZQ  Kind" } }),
        409,
        `${table}.name_taken`,
        detail,
      );
      const other = await api.post(url, { as, body: { name: "zq other" } });
      const renamed = await api.patch(`${url}/${other.json.id}`, { as, body: { name: "Zq Kind" } });
      expectProblem(renamed, 409, `${table}.name_taken`, detail);
    }),
  );

  test(
    `a rename of ${path} changes every exercise, and an entry in use is not deleted`,
    withApi(async (api) => {
      const { user: owner, as } = await makeSignedIn(api, { roleSlug: "superuser" });
      const created = await api.post(url, { as, body: { name: "zq kind" } });
      const own = await makeExercise(api, { owner, name: "Zq Own", ...links });
      const shared = await makeExercise(api, { name: "Zq Shared", ...links });
      const documents = async () =>
        Promise.all(
          [own, shared].map(async (id) => (await api.get(`/api/v1/exercises/${id}`, { as })).text),
        );
      for (const text of await documents()) expect(text).toContain('"zq kind"');
      const rename = () =>
        api.patch(`${url}/${created.json.id}`, { as, body: { name: "zq renamed" } });
      expect((await statementsOf(rename)).length).toBeLessThanOrEqual(4);
      for (const text of await documents())
        expect([text.includes("zq kind"), text.includes('"zq renamed"')]).toEqual([false, true]);
      const detail = `${noun} with ID '${created.json.id}' is used by exercises and cannot be deleted`;
      expectProblem(
        await api.delete(`${url}/${created.json.id}`, { as }),
        409,
        `${table}.in_use`,
        detail,
      );
      expectStatus(await api.get(`${url}/${created.json.id}`, { as }), 200);
    }),
  );

  test.each([
    [{ name: "ab" }],
    [{ name: " \u200b " }],
    [{ name: "a".repeat(101) }],
    [{ name: "zq\u0000kind" }],
    [{ name: "zq\ud800kind" }],
    [{ name: null }],
    [{ name: 3 }],
    [{ name: "zq kind", id: 3 }],
    [[]],
    [null],
  ])(`${a} with the body %j is rejected`, async (body) => {
    await withApi(async (api) => {
      const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
      expectProblem(await api.post(url, { as, body }), 422, "invalid_request");
      expectProblem(await api.patch(`${url}/1`, { as, body }), 422, "invalid_request");
      expectProblem(await api.post(url, { as, body: {} }), 422, "invalid_request");
    })();
  });

  test(
    `other users get 403 from writes of ${path}, whatever the body`,
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      expectProblem(await api.post(url, { as, body: {} }), 403, "access.superuser_required");
      expectProblem(await api.delete(`${url}/x`, { as }), 403, "access.superuser_required");
      expectProblem(await api.post(url, { body: {} }), 401, "access.not_authenticated");
    }),
  );
}
