import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { directTestUrl } from "#test/transaction.ts";
import { ensureAppRole } from "./app-role.ts";
import { openPool, type Pool } from "./client.ts";

const role = `app_${crypto.randomUUID().replaceAll("-", "")}`;
let database: OwnDatabase;
let asRole: Pool;

beforeAll(async () => {
  database = await makeOwnDatabase();
  // The second call updates the role.
  for (const password of ["it's a 'password", undefined])
    await ensureAppRole(database.pool, role, password);
  const url = Object.assign(new URL(directTestUrl(database.url)), { username: role, password: "" });
  asRole = openPool(url.href, { size: 1, prepare: false });
});
afterAll(async () => {
  await asRole.close();
  await database.pool.sql`drop owned by ${database.pool.sql(role)}`;
  await database.pool.sql`drop role ${database.pool.sql(role)}`;
  await database.drop();
});

const resultOf = (statement: string) =>
  asRole.sql.unsafe(statement).then(
    () => "done",
    (error) => error.code,
  );

test("the application's role writes rows, and its statements have time limits", async () => {
  expect(await resultOf("update roles set name = name")).toBe("done");
  const limits = await asRole.sql<{ name: string; setting: string }[]>`
    select name, current_setting(name) as setting from unnest(array[
      'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout']) as name`;
  expect(limits.map(({ setting }) => setting)).toEqual(["5s", "2s", "5s", "10s"]);
});

test("the application's role reads and writes tables that are created later", async () => {
  await database.pool.sql`create table later (id int)`;
  expect(await resultOf("insert into later values (1)")).toBe("done");
});

test.each([
  "update audit_events set event = event",
  "delete from audit_events",
  "delete from schema_migrations",
  "drop table users",
  "create table mine (id int)",
  "set session_replication_role = replica",
])("the application's role cannot: %s", async (statement) => {
  expect(await resultOf(statement)).toBe("42501");
});
