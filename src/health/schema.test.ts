import { expect, test } from "bun:test";
import { NEWEST_MIGRATION } from "#db/migrate.ts";
import { makeUser, signedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { watchHealth } from "./health.ts";

const states = [
  { state: "has every migration", change: null, status: 200 },
  {
    state: "lacks the newest migration",
    change: `delete from schema_migrations where tag = '${NEWEST_MIGRATION}'`,
    status: 503,
  },
  {
    state: "is ahead, as in a rolling update",
    change: "insert into schema_migrations values ('9999_later', '')",
    status: 200,
  },
];

test.each(states)("readiness is $status if the database $state", async ({ change, status }) => {
  await withApi(async (api, db) => {
    if (change) await db.sql.unsafe(change);
    const health = await watchHealth(db, () => true);
    try {
      expect(health.isDatabaseOnline()).toBe(true);
      Object.assign(api.deps.health, health);
      const answer = await api.get("/health/ready");
      expectStatus(answer, status);
      expect(answer.headers.get("retry-after")).toBe(status === 503 ? "1" : null);
    } finally {
      health.stop();
    }
  })();
});

test("while the database is being recreated and has no tables, requests get 503 with Retry-After", async () => {
  await withApi(async (api, db) => {
    const as = await signedIn(api, await makeUser(api));
    await db.sql`set local search_path to no_schema_of_that_name`;
    const answer = await api.get("/api/v1/workouts", { as });
    expectProblem(answer, 503, "database_unavailable");
    expect(answer.headers.get("retry-after")).toBe("1");
  })();
});

test("the database is probed once a second, regardless of the number of readiness requests", async () => {
  await withApi(async (api, db) => {
    let probes = 0;
    const count = <T>(query: T): T => {
      probes++;
      return query;
    };
    const counted = {
      ...db,
      sql: Object.assign((...args: Parameters<typeof db.sql>) => count(db.sql(...args)), db.sql),
    };
    const health = await watchHealth(counted as unknown as typeof db, () => true);
    try {
      Object.assign(api.deps.health, health);
      await Promise.all(Array.from({ length: 200 }, () => api.get("/health/ready")));
      expect(probes).toBeLessThan(5);
    } finally {
      health.stop();
    }
  })();
});
