import { expect, test } from "bun:test";
import { sql as drizzleSql } from "drizzle-orm";
import type { Db } from "#db/client.ts";
import { makeUser, signInFor } from "#test/fixtures.ts";
import { expectStatus, withApi } from "#test/harness.ts";
import { openLog } from "./log.ts";

const CANARY = "canary-8f3a-secret";

/** An application and the lines that it has logged. */
function withLog(
  work: (api: Parameters<Parameters<typeof withApi>[0]>[0], lines: () => string) => Promise<void>,
) {
  const written: string[] = [];
  const logTo = { write: (line: string) => void written.push(line) };
  return withApi(
    async (api) => {
      await work(api, () => written.join(""));
    },
    { logTo },
  );
}

test(
  "no password, token or cookie reaches the log or an answer",
  withLog(async (api, lines) => {
    const bodies: string[] = [];
    const collect = async (answer: Promise<{ text: string }>) => bodies.push((await answer).text);
    const password = CANARY;
    await collect(
      api.post("/api/v1/access/signup", {
        body: { email: "x@example.com", password, confirmPassword: password },
      }),
    );
    await collect(
      api.post("/api/v1/access/signup", {
        body: { email: CANARY, password: [CANARY], confirmPassword: CANARY },
      }),
    );
    await collect(
      api.post("/api/v1/access/signin", {
        body: { username: "x@example.com", password: `${CANARY} wrong` },
      }),
    );
    await collect(api.get("/api/v1/access/me", { as: `access_token=${CANARY}` }));
    await collect(
      api.get("/api/v1/exercises?searchString=x", {
        headers: { authorization: `Bearer ${CANARY}` },
      }),
    );
    const user = await makeUser(api);
    const login = await signInFor(api, user.email);
    const token = login.access.split("=")[1] as string;
    await collect(api.get("/api/v1/access/me", { as: login.access }));
    for (const text of [lines(), ...bodies]) {
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(token);
    }
  }),
);

test(
  "each request is logged as one line with its id, route pattern, status, duration and user",
  withLog(async (api, lines) => {
    const user = await makeUser(api);
    const login = await signInFor(api, user.email);
    const requestOptions = {
      as: login.access,
      headers: { "x-request-id": "line-test-1", "user-agent": "two\tlines" },
    };
    expectStatus(
      await api.get("/api/v1/exercises/01a209f2-f7f5-7524-94bc-8035f4f8979b", requestOptions),
      404,
    );
    const ownLines = lines()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ requestId }) => requestId === "line-test-1");
    expect(ownLines).toEqual([
      expect.objectContaining({
        method: "GET",
        route: "/api/v1/exercises/:exerciseId",
        status: 404,
        userId: user.id,
        msg: "request",
      }),
    ]);
    expect(ownLines[0].durationMs).toBeNumber();
    expect(new Date(ownLines[0].time).getTime()).toBeGreaterThan(Date.now() - 60_000);
  }),
);

test("an unexpected error is logged with the request id of the response, which reveals nothing about it", async () => {
  const written: string[] = [];
  await withApi(
    async (api) => {
      const answer = await api.get("/health/ready");
      expectStatus(answer, 500);
      expect(answer.json).toMatchObject({
        code: "internal",
        detail: "Something went wrong on our side",
      });
      expect(answer.text).not.toContain(CANARY);
      const line = written
        .map((text) => JSON.parse(text.split("\n")[0] ?? "{}"))
        .find(({ msg }) => msg === "request failed");
      expect(line.requestId).toBe(answer.json.requestId);
    },
    {
      logTo: { write: (line) => void written.push(line) },
      deps: {
        health: {
          isDatabaseOnline: () => {
            throw new Error(CANARY);
          },
          isCacheOnline: () => true,
          isSchemaCurrent: () => true,
          stop: () => {},
        },
      },
    },
  )();
});

test("secrets are redacted at every level of a logged object", () => {
  const written: string[] = [];
  const { log } = openLog({ LOG_LEVEL: "info" }, { write: (line) => void written.push(line) });
  log.info(
    {
      password: CANARY,
      request: { cookie: CANARY, headers: { authorization: CANARY } },
      access_token: CANARY,
    },
    "x",
  );
  expect(written.join("")).not.toContain(CANARY);
  expect(written.join("")).toContain("[redacted]");
});

test("a failed statement is logged without its parameters, and without the row that PostgreSQL quotes", async () => {
  const written: string[] = [];
  await withApi(
    async (api, db) => {
      // A hash that PostgreSQL cannot store, and one in a row that violates a constraint.
      api.deps.passwords.hash = async () => `${CANARY}\0`;
      const input = {
        email: "x@example.com",
        password: "a long enough phrase",
        confirmPassword: "a long enough phrase",
      };
      const answer = await api.post("/api/v1/access/signup", { body: input });
      expectStatus(answer, 422);
      expect(answer.text).not.toContain(CANARY);
      const row = { email: "UPPER@example.com", password_hash: CANARY, role_id: 1 };
      const statements = [
        (tx: Db) => tx.sql`insert into users ${tx.sql(row)}`,
        (tx: Db) => tx.orm.execute(drizzleSql`select ${CANARY}::int`),
      ];
      const failures = [];
      for (const statement of statements) {
        failures.push(
          await db.transaction(async (tx) => void (await statement(tx))).catch((error) => error),
        );
      }
      for (const error of failures) {
        expect(error).toBeInstanceOf(Error);
        api.deps.log.error({ err: error }, "request failed");
      }
    },
    { logTo: { write: (line) => void written.push(line) } },
  )();
  const failures = written
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === "request failed");
  expect(failures).toHaveLength(3);
  expect(failures[1].err).toMatchObject({ code: "23514", constraint: "users_email_form_check" });
  expect(written.join("")).not.toContain(CANARY);
});

test(
  "a request is one line, whatever its headers and path contain",
  withLog(async (api, lines) => {
    const headers = { "x-request-id": "a\u0085b\u00a0c-12345678", "user-agent": 'x","level":60' };
    await api.get("/nowhere%0a%22,%22level%22:60", { headers });
    await api.get("/api/v1/exercises/%0d%0a?searchString=%0a", { headers });
    api.deps.log.info({ header: "one\ntwo" }, "logged");
    const logged = lines().trimEnd().split("\n");
    expect(
      logged.map((line) => JSON.parse(line)).map(({ level, route, msg }) => [level, route, msg]),
    ).toEqual([
      [30, "unmatched", "request"],
      [30, "/api/v1/exercises/:exerciseId", "request"],
      [30, undefined, "logged"],
    ]);
  }),
);
