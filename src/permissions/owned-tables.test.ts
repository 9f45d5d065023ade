import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeExercise, makeInvitation, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";
import { testPool } from "#test/transaction.ts";
import { LISTS } from "../archive/archive.schemas.ts";
import { SYNCED_KINDS } from "../sync/synced-kinds.service.ts";
import { OWNED_TABLES, SHARED_TABLES } from "./owned-tables.ts";

const V1 = "/api/v1";
const EXAMPLE = readFileSync(join(import.meta.dir, "../imports/examples/hevy-kg.csv"), "utf8");
const ACTIONS: Record<string, string> = { c: "cascade", n: "set null", a: "no action" };
const tables = Object.entries(OWNED_TABLES);
const owned = tables.flatMap(([table, spec]) => ("owners" in spec ? [{ table, ...spec }] : []));
const parts = tables.flatMap(([table, spec]) => ("parent" in spec ? [{ table, ...spec }] : []));

const listForeignKeys = () => testPool().sql<{ from: string; to: string; action: string }[]>`
  select conrelid::regclass || '.' || attname as "from", confrelid::regclass::text as "to",
    confdeltype::text as action
  from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any (conkey)
  where contype = 'f'`;

test("every table is declared either as owned by accounts or as shared", async () => {
  const rows = await testPool().sql<{ name: string }[]>`
    select relname as name from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  expect([...Object.keys(OWNED_TABLES), ...Object.keys(SHARED_TABLES)].sort()).toEqual(
    rows.map(({ name }) => name).sort(),
  );
});

test("the foreign keys to accounts and their actions are as declared", async () => {
  const expected = owned.flatMap(({ table, owners, mentions = [], onDelete }) => [
    ...(onDelete === "cascade" ? owners : []).map((column) => `${table}.${column} cascade`),
    ...mentions.map((column) => `${table}.${column} set null`),
  ]);
  const keys = await listForeignKeys();
  const toUsers = keys.filter(({ to }) => to === "users");
  expect(toUsers.map(({ from, action }) => `${from} ${ACTIONS[action]}`).sort()).toEqual(
    expected.sort(),
  );
  const cascading = keys.filter(({ action }) => action === "c");
  const withoutParent = parts.filter(
    ({ table, parent }) =>
      !cascading.some(({ from, to }) => to === parent && from.startsWith(`${table}.`)),
  );
  expect(withoutParent).toEqual([]);
});

test("archives and the change feed contain the declared tables, and each exception has a reason", async () => {
  const named = (names: (string | null)[]) => names.filter((name) => name !== null);
  expect(named(owned.map(({ archive }) => archive)).sort()).toEqual(Object.keys(LISTS).sort());
  expect(named(owned.map(({ sync }) => sync)).sort()).toEqual(Object.keys(SYNCED_KINDS).sort());
  const excluded = owned.filter(({ archive, sync }) => archive === null || sync === null);
  expect(excluded.filter(({ why }) => !why)).toEqual([]);
  const recorded = await testPool().sql<{ table: string; kind: string }[]>`
    select distinct tgrelid::regclass::text as table, rtrim(encode(tgargs, 'escape'), '\\000') as kind
    from pg_trigger join pg_proc on pg_proc.oid = tgfoid where proname = 'record_change'`;
  expect(recorded.map(({ table, kind }) => `${table} ${kind}`).sort()).toEqual(
    owned.flatMap(({ table, sync }) => (sync ? [`${table} ${sync}`] : [])).sort(),
  );
});

/** The tables with a row whose text contains `text`. */
async function tablesWith({ deps: { db } }: Api, text: string): Promise<string[]> {
  const matches: string[] = [];
  for (const table of [...Object.keys(OWNED_TABLES), ...Object.keys(SHARED_TABLES)]) {
    const rows =
      await db.sql`select from ${db.sql(table)} as t where t::text like ${`%${text}%`} limit 1`;
    if (rows.length > 0) matches.push(table);
  }
  return matches;
}

/** An account with a row in every owned table. */
async function makeOwner(api: Api) {
  const { sql } = api.deps.db;
  const { client, trainer, accept } = await makeInvitation(api);
  const { as, user } = client;
  expectStatus(await accept(), 200);
  await sql`set constraints all immediate`;
  const exerciseId = await makeExercise(api, {
    name: "Owned",
    owner: user,
    secondary: ["chest"],
    equipment: ["barbell"],
    tags: ["push"],
  });
  const post = async (path: string, body: unknown, headers = {}) => {
    const answer = await api.post(`${V1}/${path}`, { as, body, headers });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.json.id as string;
  };
  const sets = [{ reps: 5, weight: 100, weightUnit: "kg", type: "working" }];
  const target = { exerciseId, mode: "reps", sets: 3 };
  const routineId = await post("routines", { name: "Owned", exercises: [target] });
  const planId = await post("plans", { name: "Owned", routines: [{ routineId, day: 1 }] });
  const exercises = [{ exerciseId, mode: "reps", sets }];
  await post("workouts", { timeZone: "UTC", exercises }, { "idempotency-key": "owned" });
  await post("grants", { routineId, email: trainer.user.email, access: "read" });
  await post("links", { planId });
  await post("imports?timeZone=UTC", EXAMPLE, { "content-type": "text/csv" });
  await sql`insert into import_names values (${user.id}, 'owned', 'Owned', ${exerciseId})`;
  await sql`insert into last_writes values (${user.id}, '0/1')`;
  return user;
}

test(
  "deleting an account deletes its rows in every table, except those declared as kept",
  withApi(async (api) => {
    const admin = await makeSignedIn(api, { roleSlug: "superuser" });
    const user = await makeOwner(api);
    expectStatus(
      await api.patch(`${V1}/users/${user.id}`, { as: admin.as, body: { name: "Owner" } }),
      200,
    );
    const before = await tablesWith(api, user.id);
    expect(owned.filter(({ table }) => !before.includes(table))).toEqual([]);
    for (const { table } of parts)
      expect([
        table,
        (await api.deps.db.sql`select from ${api.deps.db.sql(table)}`).length > 0,
      ]).toEqual([table, true]);

    expectStatus(await api.delete(`${V1}/users/${user.id}`, { as: admin.as }), 204);
    const kept = owned.filter(({ onDelete }) => onDelete === "kept");
    expect(await tablesWith(api, user.id)).toEqual(kept.map(({ table }) => table));
    expect(await tablesWith(api, user.email)).toEqual([]);
  }),
);
