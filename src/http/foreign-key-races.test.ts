import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import type { Fixtures } from "#test/deletion-races.ts";
import { DELETION_RECIPES } from "#test/deletion-recipes.ts";
import { patientAdmission } from "#test/edit-rounds.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { RECIPES } from "#test/foreign-key-recipes.ts";
import { type Answer, apiOn } from "#test/harness.ts";
import { waitUntilBlocked } from "#test/lock-waits.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { canPrepare } from "#test/transaction.ts";
import { requestContext } from "./request-context.ts";

/** Foreign keys that no request can break, with the reason. */
const WITHOUT_RECIPE: Record<string, string> = {
  users_role_id_fkey: "no request deletes a role",
  workouts_import_id_fkey:
    "an import is deleted by the transaction that made it, or with its account",
};
/** The request that succeeds although the row it refers to is deleted. */
const GOES_ON = "a file is imported and its exercise deleted";
/** How often each pair of requests is sent at once. */
const ROUNDS = 4;

let database: OwnDatabase;
let pool: Pool;
let fixtures: Fixtures;
beforeAll(async () => {
  database = await makeOwnDatabase();
  const { sql } = database.pool;
  // Deadlocks are detected soon; the pool then retries one of the two transactions.
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  await sql`alter database ${sql(row?.name as string)} set deadlock_timeout = '50ms'`;
  const [muscle] = await sql<
    { id: number }[]
  >`insert into muscle_groups (name) values ('chest') returning id`;
  const admission = {
    ...patientAdmission,
    context: () => requestContext.getStore(),
    maxRetries: 5,
  };
  pool = openPool(database.url, { size: 10, prepare: canPrepare(), admission });
  const api = await apiOn(pool);
  const { as: admin } = await makeSignedIn(api, { roleSlug: "superuser" });
  fixtures = { api, admin, muscle: muscle?.id as number };
});
afterAll(async () => {
  await pool?.close();
  await database?.drop();
});

const expectNoFault = ({ status, text }: Answer) => {
  if (![200, 201, 204, 401, 404, 409, 412].includes(status))
    throw new Error(`${status}: ${text.slice(0, 500)}`);
};

test("every foreign key of the schema has a recipe for a race, or a reason to need none", async () => {
  const rows = await database.pool.sql<
    { name: string }[]
  >`select conname as name from pg_constraint where contype = 'f'`;
  const names = rows.map(({ name }) => name).toSorted();
  expect([...Object.keys(RECIPES), ...Object.keys(WITHOUT_RECIPE)].toSorted()).toEqual(names);
});

const RACES = { ...RECIPES, ...DELETION_RECIPES };

test.each(Object.keys(RACES))(
  "a thing that a request names is deleted between the check and the write: %s",
  async (name) => {
    const { create, table, id } = await (RACES[name] as (typeof RACES)[string])(fixtures);
    let answer: Promise<Answer> | undefined;
    await database.pool.transaction(async (tx) => {
      await tx.sql`delete from ${tx.sql(table)} where id = ${id}`;
      answer = create();
      await waitUntilBlocked(database.pool, { answer });
    });
    expectNoFault((await answer) as Answer);
    // The answer is the same as if the deletion had come first.
    if (name in RECIPES) expect((await answer)?.status).toBeOneOf([401, 404]);
    if (name === GOES_ON) expect((await answer)?.status).toBe(200);
  },
  20_000,
);

test.each(Object.keys(RACES))(
  "a request and the deletion of the thing that it names, sent at once, are both answered: %s",
  async (name) => {
    const recipe = RACES[name] as (typeof RACES)[string];
    const races = await Promise.all(Array.from({ length: ROUNDS }, () => recipe(fixtures)));
    const answers = await Promise.all(races.flatMap(({ create, remove }) => [create(), remove()]));
    for (const answer of answers) expectNoFault(answer);
  },
  20_000,
);
