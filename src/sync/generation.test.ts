import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { canPrepare, testPool } from "#test/transaction.ts";
import { deleteExpiredTombstones } from "./changes.service.ts";

let database: OwnDatabase;
let api: Api;
/**
 * The API in this process. Its connections can be closed, because copying a database requires it.
 */
const localApi = (db: Pool) => apiOn(db, { nowMs: Date.now });
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await localApi(database.pool);
});
afterAll(() => database?.drop());

const startWorkout = async (client: Api, as: string) => {
  const answer = await client.post("/api/v1/workouts", { as, body: { timeZone: "UTC" } });
  expectStatus(answer, 201);
  return answer.json.id as string;
};
const getChanges = (client: Api, as: string, cursor?: string) =>
  client.get(`/api/v1/changes${cursor === undefined ? "" : `?cursor=${cursor}`}`, { as });
/** The cursor at the end of the feed, and the ids of its changes after `from`. */
async function read(
  client: Api,
  as: string,
  from?: string,
): Promise<{ cursor: string; ids: string[] }> {
  const page = await getChanges(client, as, from);
  expectStatus(page, 200);
  const ids = page.json.items.map(({ id }: { id: string }) => id);
  return { cursor: page.json.nextCursor, ids };
}
const expectBeginAgain = async (client: Api, as: string, cursor: string) =>
  expectProblem(await getChanges(client, as, cursor), 410, "changes.begin_again");

/** A copy of the database, like a restored backup, and the API on it. */
async function restoreCopy(): Promise<{ pool: Pool; api: Api; drop(): Promise<void> }> {
  const name = `copy_${crypto.randomUUID().replaceAll("-", "")}`;
  const url = new URL(database.url);
  const original = url.pathname.slice(1);
  await database.pool.close();
  await testPool()
    .sql`create database ${testPool().sql(name)} template ${testPool().sql(original)}`;
  database.pool = openPool(database.url, { size: 4, prepare: canPrepare() });
  api = await localApi(database.pool);
  url.pathname = `/${name}`;
  const pool = openPool(url.href, { size: 4, prepare: canPrepare() });
  const drop = async () => {
    await pool.close();
    await testPool().sql`drop database ${testPool().sql(name)} with (force)`;
  };
  return { pool, api: await localApi(pool), drop };
}

test("after a restore every cursor from before is refused with 410, and later ones continue", async () => {
  const { as } = await makeSignedIn(api);
  const first = await startWorkout(api, as);
  const { cursor: before } = await read(api, as);
  const copy = await restoreCopy();
  await startWorkout(api, as);
  const { cursor: after } = await read(api, as);
  await expectBeginAgain(copy.api, as, before);
  await expectBeginAgain(copy.api, as, after);
  const again = await read(copy.api, as);
  expect(again.ids).toEqual([first]);
  const added = [
    await startWorkout(copy.api, as),
    await startWorkout(copy.api, as),
    await startWorkout(copy.api, as),
  ];
  expect((await read(copy.api, as, again.cursor)).ids).toEqual(added);
  // By now, another change has the position of the lost one.
  await expectBeginAgain(copy.api, as, after);
  // On the original database, the same cursors are valid.
  expect((await read(api, as, before)).ids).toHaveLength(1);
  expect((await read(api, as, after)).ids).toEqual([]);
  await copy.drop();
});

test("a write after a restore begins the new generation, before changes are read", async () => {
  const { as } = await makeSignedIn(api);
  await startWorkout(api, as);
  const copy = await restoreCopy();
  const generation = async () =>
    (await copy.pool.sql`select id, origin = feed_origin() as is_current from feed_generation`)[0];
  const old = await generation();
  expect(old?.is_current).toBe(false);
  await startWorkout(copy.api, as);
  const current = await generation();
  expect(current).toMatchObject({ is_current: true, id: expect.not.stringMatching(old?.id) });
  await startWorkout(copy.api, as);
  await read(copy.api, as);
  expect(await generation()).toEqual(current as never);
  await copy.drop();
});

const encoded = (text: string) => Buffer.from(text).toString("base64url");
const decoded = (cursor: string) => Buffer.from(cursor, "base64url").toString().split(" ");

test("a cursor without a generation, as earlier versions issued it, is valid until the first restore", async () => {
  const first = "00000000-0000-0000-0000-000000000000";
  await database.pool
    .sql`update feed_generation set id = ${first}, origin = feed_origin(), began_at = now()`;
  const { as } = await makeSignedIn(api);
  await startWorkout(api, as);
  const position = decoded((await read(api, as)).cursor)[1];
  const later = await startWorkout(api, as);
  expect((await read(api, as, encoded(`changes ${position}`))).ids).toEqual([later]);
  await expectBeginAgain(api, as, encoded("changes 999999999999999999"));
  const copy = await restoreCopy();
  await expectBeginAgain(copy.api, as, encoded(`changes ${position}`));
  await copy.drop();
});

test("tombstones are deleted once every cursor that could reach them has expired", async () => {
  const { as, user } = await makeSignedIn(api);
  const [deleted, lastDeleted] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  for (const id of [deleted, lastDeleted]) {
    expectStatus(
      await api.post("/api/v1/routines", { as, body: { id, name: id, exercises: [] } }),
      201,
    );
  }
  const { cursor } = await read(api, as);
  const [, position, day, generation] = decoded(cursor);
  const aged = (days: number) => encoded(`changes ${position} ${Number(day) - days} ${generation}`);
  for (const id of [deleted, lastDeleted])
    expectStatus(await api.delete(`/api/v1/routines/${id}`, { as }), 204);
  await deleteExpiredTombstones(database.pool);
  expect((await read(api, as, aged(179))).ids).toEqual([deleted, lastDeleted]);
  await expectBeginAgain(api, as, aged(181));

  await database.pool
    .sql`update changes set gone_at = now() - interval '186 days' where user_id = ${user.id}`;
  await deleteExpiredTombstones(database.pool);
  const { ids, cursor: end } = await read(api, as);
  // The user's latest tombstone stays: otherwise a valid cursor would seem to be beyond the feed.
  expect(ids).toEqual([lastDeleted]);
  expect((await read(api, as, end)).ids).toEqual([]);
});

test("an entity that is created again with the id of a deleted one replaces its tombstone", async () => {
  const { as, user } = await makeSignedIn(api);
  const id = Bun.randomUUIDv7();
  const body = { id, name: "Again", exercises: [] };
  expectStatus(await api.post("/api/v1/routines", { as, body }), 201);
  expectStatus(await api.delete(`/api/v1/routines/${id}`, { as }), 204);
  expectStatus(await api.post("/api/v1/routines", { as, body }), 201);
  await startWorkout(api, as);
  const rows = await database.pool
    .sql`select from changes where user_id = ${user.id} and gone_at is not null`;
  expect(rows).toHaveLength(0);
});
