import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeSignedIn, makeUser } from "#test/fixtures.ts";
import { type Answer, type Api, apiOn, expectProblem } from "#test/harness.ts";
import { waitUntilBlocked } from "#test/lock-waits.ts";
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
const requests: [change: string, send: (as: string, user: User) => Promise<Answer>][] = [
  ["changed", (as, { id }) => api.patch(`${API}/users/${id}`, { as, body: { name: "Other" } })],
  [
    "deactivated",
    (as, { id }) => api.patch(`${API}/users/${id}`, { as, body: { isActive: false } }),
  ],
  ["deleted", (as, { id }) => api.delete(`${API}/users/${id}`, { as })],
  [
    "assigned a role",
    (as, { email }) =>
      api.patch(`${API}/roles/${email}/assign`, { as, body: { roleSlug: "superuser" } }),
  ],
  [
    "stripped of its role",
    (as, { email }) =>
      api.patch(`${API}/roles/${email}/revoke`, { as, body: { roleSlug: "fitness-trainer" } }),
  ],
];

test.each(requests)(
  "if an account is deleted while it is %s, the request gets 404 and records no event",
  async (_change, send) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const user = await makeUser(api, { roleSlug: "fitness-trainer" });
    const countEvents = async () =>
      (await database.pool.sql`select from audit_events where target_user_id = ${user.id}`).length;
    const before = await countEvents();
    let pending: Promise<Answer> | undefined;
    await database.pool.transaction(async (tx) => {
      await tx.sql`delete from users where id = ${user.id}`;
      pending = send(as, user);
      // If the request is too slow to be blocked, it finds no account, and the answer is the same.
      await waitUntilBlocked(database.pool);
    });
    expectProblem((await pending) as Answer, 404, "users.not_found");
    expect(await countEvents()).toBe(before);
  },
);
