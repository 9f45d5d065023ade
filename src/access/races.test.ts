import { afterAll, expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import { makeSignedIn, PASSWORD, signedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectStatus } from "#test/harness.ts";
import { canPrepare, testDatabaseUrl } from "#test/transaction.ts";

// Races need separate connections and real commits, so the test deletes the users it creates.
const pool = openPool(testDatabaseUrl(), { size: 8, prepare: canPrepare() });
const userIds: string[] = [];
afterAll(async () => {
  await pool.sql`delete from users where id = any (${userIds})`;
  await pool.close();
});

test("of two hundred concurrent sign-ups with one address, one succeeds", async () => {
  const api = await apiOn(pool, {
    settings: { PASSWORD_QUEUE: "500" },
    deps: { addressOf: () => null },
  });
  const body = { email: "race@example.com", password: PASSWORD, confirmPassword: PASSWORD };
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => api.post("/api/v1/access/signup", { body })),
  );
  const statuses = answers.map(({ status }) => status);
  userIds.push(answers.find(({ status }) => status === 201)?.json.id);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(statuses.filter((status) => status === 409)).toHaveLength(199);
});

test("if two superusers demote each other concurrently, one remains", async () => {
  const api = await apiOn(pool);
  await pool.sql`
    update users set is_active = false
    where role_id = (select id from roles where slug = 'superuser')`;
  const first = await makeSignedIn(api, { roleSlug: "superuser" });
  const second = await makeSignedIn(api, { roleSlug: "superuser" });
  userIds.push(first.user.id, second.user.id);
  const revoke = (by: Api, email: string, as: string) =>
    by.patch(`/api/v1/roles/${encodeURIComponent(email)}/revoke`, {
      as,
      body: { roleSlug: "superuser" },
    });
  for (let round = 0; round < 500; round++) {
    await pool.sql`
      update users set role_id = (select id from roles where slug = 'superuser')
      where id = any (${userIds})`;
    api.deps.loginCache.invalidate("everything");
    const as = [await signedIn(api, first.user), await signedIn(api, second.user)] as const;
    const answers = await Promise.all([
      revoke(api, second.user.email, as[0]),
      revoke(api, first.user.email, as[1]),
    ]);
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    const [remaining] = await pool.sql`
      select count(*)::int as count from users join roles on roles.id = role_id
      where slug = 'superuser' and is_active`;
    expect(remaining?.count).toBeGreaterThanOrEqual(1);
  }
  for (const { as } of [first, second])
    expectStatus(await api.get("/api/v1/access/me", { as }), 200);
});
