import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";
import { renderDocuments } from "./exercises.queries.ts";

const ROUNDS = 40;
let database: OwnDatabase;
beforeAll(async () => {
  database = await makeOwnDatabase();
});
afterAll(() => database.drop());

/** The stored documents by exercise. */
const storedDocuments = async () =>
  new Map(
    (await database.pool.sql`select id, document from exercises`).map(({ id, document }) => [
      id,
      document,
    ]),
  );

test("documents are correct after concurrent renames, changes, creations and deletions, without deadlocks", async () => {
  const { sql } = database.pool;
  for (const table of ["muscle_groups", "equipment", "exercise_tags"]) {
    await sql`insert into ${sql(table)} (name) select 'entry ' || n from generate_series(1, 4) as n`;
  }
  const api: Api = await apiOn(database.pool);
  const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
  const entries = (round: number) => [1 + (round % 4), 1 + ((round + 1) % 4)];
  const create = (name: string, round: number) =>
    api.post(`${API}/exercises/user`, {
      as,
      body: {
        name,
        primaryMuscles: entries(round),
        secondaryMuscles: entries(round + 2),
        equipment: entries(round),
        difficultyLevel: "beginner",
        category: "cardio",
      },
    });
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push((await create(`Exercise ${n}`, n)).json.id);
  const statuses = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const rename = (path: string, id: number) =>
      api.patch(`${API}/catalogs/${path}/${id}`, { as, body: { name: `entry ${id} of ${round}` } });
    const change = (id: string | undefined, body: object) =>
      api.patch(`${API}/exercises/user/${id}`, { as, body });
    const answers = await Promise.all([
      rename("muscle-groups", 1 + (round % 4)),
      rename("muscle-groups", 1 + ((round + 1) % 4)),
      rename("equipment", 1 + (round % 4)),
      change(ids[round % 6], { primaryMuscles: entries(round + 1) }),
      change(ids[(round + 1) % 6], {
        equipment: entries(round + 1),
        secondaryMuscles: entries(round),
      }),
      change(ids[(round + 2) % 6], { name: `Exercise ${(round + 2) % 6} of ${round}` }),
      change(ids[round % 6], { instructions: `Of round ${round}`, equipment: [] }),
      create(`New ${round}`, round),
    ]);
    for (const { status } of answers) statuses.add(status);
    const createdId = answers.at(-1)?.json.id;
    const [removed] = await Promise.all([
      api.delete(`${API}/exercises/${createdId}`, { as }),
      rename("muscle-groups", 1 + ((round + 2) % 4)),
    ]);
    statuses.add(removed.status);
    const documents = await storedDocuments();
    await renderDocuments(database.pool, [...documents.keys()]);
    expect(documents).toEqual(await storedDocuments());
  }
  expect([...statuses].sort()).toEqual([200, 201, 204]);
}, 60_000);
