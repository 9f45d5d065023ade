import { expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import { buildVersion } from "#lib/build-info.ts";
import { apiOn, expectStatus, withApi } from "#test/harness.ts";
import { testPool } from "#test/transaction.ts";
import { watchHealth } from "./health.ts";

test.each(["/ping", "/health/live"])("%s answers OK without using the database", async (path) => {
  await withApi(async (api) => {
    const answer = await api.get(path);
    expectStatus(answer, 200);
    expect(answer.text).toBe("OK");
    expect(answer.headers.get("content-type")).toStartWith("text/plain");
  })();
});

test.each(["/health", "/health/ready"])(
  "%s reports online while the database answers",
  async (path) => {
    await withApi(async (api) => {
      const answer = await api.get(path);
      expectStatus(answer, 200);
      expect(answer.json).toEqual({
        database_status: "online",
        cache_status: "online",
        app: "IronTrack",
        version: buildVersion(),
      });
    })();
  },
);

test("while the database hangs, readiness answers 503 at once", async () => {
  const hanging = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const pool = openPool(`postgres://nobody@127.0.0.1:${hanging.port}/none`, {
    size: 1,
    prepare: false,
  });
  const health = await watchHealth(pool, () => false);
  try {
    const api = await apiOn(testPool(), { deps: { health } });
    for (const path of ["/health/ready", "/health"]) {
      const answer = await api.get(path);
      expectStatus(answer, 503);
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(answer.json).toEqual({
        database_status: "offline",
        cache_status: "offline",
        app: "IronTrack",
        version: buildVersion(),
      });
    }
    for (const path of ["/health/live", "/ping"]) expectStatus(await api.get(path), 200);
  } finally {
    health.stop();
    hanging.stop(true);
    await pool.close(0);
  }
});

test("a stopping process is not ready, and asks clients to close their connections", async () => {
  await withApi(
    async (api) => {
      const answer = await api.get("/health/ready");
      expectStatus(answer, 503);
      expect(answer.headers.get("connection")).toBe("close");
    },
    { deps: { isDraining: () => true } },
  )();
});
