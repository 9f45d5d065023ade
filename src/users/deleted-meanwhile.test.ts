import { afterAll, beforeAll, expect, test } from "bun:test";
import { untilBlocked } from "#test/blocked.ts";
import { makeSignedIn, makeUser } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectProblem } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";

let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

type User = { id: string; email: string };
const requests: [what: string, send: (as: string, user: User) => Promise<Answer>][] = [
  ["changed", (as, { id }) => api.patch(`${API}/users/${id}`, { as, body: { name: "Other" } })],
  [
    "deactivated",
    (as, { id }) => api.patch(`${API}/users/${id}`, { as, body: { isActive: false } }),
  ],
  ["deleted", (as, { id }) => api.delete(`${API}/users/${id}`, { as })],
  [
    "given a role",
    (as, { email }) =>
      api.patch(`${API}/roles/${email}/assign`, { as, body: { roleSlug: "superuser" } }),
  ],
  [
    "deprived of its role",
    (as, { email }) =>
      api.patch(`${API}/roles/${email}/revoke`, { as, body: { roleSlug: "fitness-trainer" } }),
  ],
];

test.each(requests)(
  "an account that is deleted while it is %s is not found, and no event is recorded",
  async (_what, send) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const user = await makeUser(api, { roleSlug: "fitness-trainer" });
    const countEvents = async () =>
      (await database.pool.sql`select from audit_events where target_user_id = ${user.id}`).length;
    const before = await countEvents();
    let pending: Promise<Answer> | undefined;
    await database.pool.transaction(async (tx) => {
      await tx.sql`delete from users where id = ${user.id}`;
      pending = send(as, user);
      // If the request is too slow to be blocked, it finds nothing, and the answer is the same.
      await untilBlocked(database.pool);
    });
    expectProblem((await pending) as Answer, 404, "users.not_found");
    expect(await countEvents()).toBe(before);
  },
);
