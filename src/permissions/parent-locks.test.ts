import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectSerialRounds } from "#test/edit-rounds.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { waitUntilBlocked } from "#test/lock-waits.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";

let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

test("concurrent edits of a workout, a routine or a plan end as if they had run in some serial order", async () => {
  await expectSerialRounds(100);
}, 120_000);

for (const [table, kind] of [
  ["routines", "routineId"],
  ["plans", "planId"],
] as const) {
  test(`an edit of another user's ${table} that waits for a lock writes nothing if the grant ends meanwhile`, async () => {
    const owner = await makeSignedIn(api);
    const friend = await makeSignedIn(api);
    const parts = table === "plans" ? { routines: [] } : { exercises: [] };
    const created = await api.post(`/api/v1/${table}`, {
      as: owner.as,
      body: { name: "Shared", ...parts },
    });
    const grant = { [kind]: created.json.id, email: friend.user.email, access: "write" };
    expectStatus(await api.post("/api/v1/grants", { as: owner.as, body: grant }), 201);
    const path = `/api/v1/${table}/${created.json.id}`;
    const write = (body: object) => api.patch(path, { as: friend.as, body });
    let waiting: ReturnType<typeof write>[] = [];
    await database.pool.transaction(async ({ sql }) => {
      await sql`select from ${sql(table)} where id = ${created.json.id} for no key update`;
      waiting = [write({ name: "Theirs" }), write(parts)];
      await waitUntilBlocked(database.pool, { count: 2 });
      await sql`delete from grants`;
    });
    for (const answer of await Promise.all(waiting))
      expectProblem(answer, 404, `${table}.not_found`);
    expect((await api.get(path, { as: owner.as })).json.name).toBe("Shared");
  });
}
