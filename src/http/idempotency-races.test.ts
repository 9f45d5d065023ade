import { expect, test } from "bun:test";
import { apiOn } from "#test/harness.ts";
import { makeSignedIn } from "#test/make.ts";
import { testPool } from "#test/transaction.ts";

test("of many requests with one key at once, one is done; the others wait for it or are answered as it was", async () => {
  const db = testPool();
  const api = await apiOn(db, { deps: { addressOf: () => null } });
  const { user, as } = await makeSignedIn(api);
  try {
    for (let round = 0; round < 5; round++) {
      const headers = { "idempotency-key": `key-${round}` };
      const body = { name: `Routine ${round}`, exercises: [] };
      const ask = () => api.post("/api/v1/routines", { as, body, headers });
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      const done = answers.filter(({ status }) => status === 201);
      expect(new Set(done.map(({ json }) => json.id)).size).toBe(1);
      const others = answers.filter(({ status }) => status !== 201);
      expect(others.map(({ json }) => json.code)).toEqual(others.map(() => "idempotency.in_flight"));
      expect((await ask()).json.id).toBe(done[0]?.json.id);
      expect((await api.get("/api/v1/routines", { as })).json.total).toBe(round + 1);
    }
  } finally {
    await db.sql`delete from users where id = ${user.id}`;
  }
});
