import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";
import { create } from "#test/related-training.ts";

let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

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
    const muscles = isExercise
      ? {
          primaryMuscles: [
            (await create(api, admin.as, "catalogs/muscle-groups", { name: id })).id,
          ],
        }
      : {};
    const path = isExercise ? "exercises/user" : table;
    const createEntity = () => create(api, as, path, { id, name: "The same", ...body, ...muscles });
    const update = (version: number) =>
      api.patch(`${API}/${path}/${id}`, {
        as,
        body: { name: "Other" },
        headers: { "if-match": `"${version}"` },
      });
    const original = await createEntity();
    expectStatus(await update(original.version), 200);
    expectStatus(await api.delete(`${API}/${table}/${id}`, { as }), 204);
    // The trash is emptied after 30 days.
    if (table === "workouts") await database.pool.sql`delete from workouts where id = ${id}`;
    const recreated = await createEntity();
    expect(recreated.version).toBeGreaterThan(original.version + 1);
    for (let version = 1; version < recreated.version; version++) {
      expectProblem(await update(version), 412, `${table}.stale`);
    }
    expectStatus(await update(recreated.version), 200);
  });
}
