import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { canPrepare, testPool } from "#test/transaction.ts";
import { forgetTombstones } from "./changes.service.ts";

let database: OwnDatabase;
let api: Api;
/**
 * The API in this process, whose connections can be closed: a database with connections cannot be
 * copied.
 */
const apiHere = (db: Pool) => apiOn(db, { nowMs: Date.now });
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiHere(database.pool);
});
afterAll(() => database?.drop());

const start = async (on: Api, as: string) => {
  const made = await on.post("/api/v1/workouts", { as, body: { timeZone: "UTC" } });
  expectStatus(made, 201);
  return made.json.id as string;
};
const ask = (on: Api, as: string, cursor?: string) =>
  on.get(`/api/v1/changes${cursor === undefined ? "" : `?cursor=${cursor}`}`, { as });
/** The cursor at the end of the feed, and the ids that are in it after `from`. */
async function read(
  on: Api,
  as: string,
  from?: string,
): Promise<{ cursor: string; ids: string[] }> {
  const page = await ask(on, as, from);
  expectStatus(page, 200);
  const ids = page.json.items.map(({ id }: { id: string }) => id);
  return { cursor: page.json.nextCursor, ids };
}
const expectBeginAgain = async (on: Api, as: string, cursor: string) =>
  expectProblem(await ask(on, as, cursor), 410, "changes.begin_again");

/** A copy of the database as it is now, as a backup keeps it, and the API on it. */
async function restored(): Promise<{ pool: Pool; api: Api; drop(): Promise<void> }> {
  const name = `copy_${crypto.randomUUID().replaceAll("-", "")}`;
  const url = new URL(database.url);
  const original = url.pathname.slice(1);
  await database.pool.close();
  await testPool()
    .sql`create database ${testPool().sql(name)} template ${testPool().sql(original)}`;
  database.pool = openPool(database.url, { size: 4, prepare: canPrepare() });
  api = await apiHere(database.pool);
  url.pathname = `/${name}`;
  const pool = openPool(url.href, { size: 4, prepare: canPrepare() });
  const drop = async () => {
    await pool.close();
    await testPool().sql`drop database ${testPool().sql(name)} with (force)`;
  };
  return { pool, api: await apiHere(pool), drop };
}

test("after a restore every cursor from before is refused with 410, and later ones continue", async () => {
  const { as } = await makeSignedIn(api);
  const first = await start(api, as);
  const { cursor: before } = await read(api, as);
  const copy = await restored();
  await start(api, as);
  const { cursor: after } = await read(api, as);
  await expectBeginAgain(copy.api, as, before);
  await expectBeginAgain(copy.api, as, after);
  const again = await read(copy.api, as);
  expect(again.ids).toEqual([first]);
  const more = [await start(copy.api, as), await start(copy.api, as), await start(copy.api, as)];
  expect((await read(copy.api, as, again.cursor)).ids).toEqual(more);
  // By now another change has the place of the lost one.
  await expectBeginAgain(copy.api, as, after);
  // Where nothing was restored the same cursors are good.
  expect((await read(api, as, before)).ids).toHaveLength(1);
  expect((await read(api, as, after)).ids).toEqual([]);
  await copy.drop();
});

test("a write after a restore begins the new generation, before changes are read", async () => {
  const { as } = await makeSignedIn(api);
  await start(api, as);
  const copy = await restored();
  const generation = async () =>
    (await copy.pool.sql`select id, origin = feed_origin() as is_here from feed_generation`)[0];
  const old = await generation();
  expect(old?.is_here).toBe(false);
  await start(copy.api, as);
  const begun = await generation();
  expect(begun).toMatchObject({ is_here: true, id: expect.not.stringMatching(old?.id) });
  await start(copy.api, as);
  await read(copy.api, as);
  expect(await generation()).toEqual(begun as never);
  await copy.drop();
});

const encoded = (text: string) => Buffer.from(text).toString("base64url");
const decoded = (cursor: string) => Buffer.from(cursor, "base64url").toString().split(" ");

test("a cursor without a generation, as earlier versions gave it, is valid until the first restore", async () => {
  const first = "00000000-0000-0000-0000-000000000000";
  await database.pool
    .sql`update feed_generation set id = ${first}, origin = feed_origin(), began_at = now()`;
  const { as } = await makeSignedIn(api);
  await start(api, as);
  const place = decoded((await read(api, as)).cursor)[1];
  const later = await start(api, as);
  expect((await read(api, as, encoded(`changes ${place}`))).ids).toEqual([later]);
  await expectBeginAgain(api, as, encoded("changes 999999999999999999"));
  const copy = await restored();
  await expectBeginAgain(copy.api, as, encoded(`changes ${place}`));
  await copy.drop();
});

test("tombstones are deleted when every cursor that could reach them is too old", async () => {
  const { as, user } = await makeSignedIn(api);
  const [gone, lastGone] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  for (const id of [gone, lastGone]) {
    expectStatus(
      await api.post("/api/v1/routines", { as, body: { id, name: id, exercises: [] } }),
      201,
    );
  }
  const { cursor } = await read(api, as);
  const [, place, day, generation] = decoded(cursor);
  const aged = (days: number) => encoded(`changes ${place} ${Number(day) - days} ${generation}`);
  for (const id of [gone, lastGone])
    expectStatus(await api.delete(`/api/v1/routines/${id}`, { as }), 204);
  await forgetTombstones(database.pool);
  expect((await read(api, as, aged(179))).ids).toEqual([gone, lastGone]);
  await expectBeginAgain(api, as, aged(181));

  await database.pool
    .sql`update changes set gone_at = now() - interval '186 days' where user_id = ${user.id}`;
  await forgetTombstones(database.pool);
  const { ids, cursor: end } = await read(api, as);
  // The tombstone at the last place stays, so that a valid cursor is not taken for one from the
  // future.
  expect(ids).toEqual([lastGone]);
  expect((await read(api, as, end)).ids).toEqual([]);
});

test("a thing that is created again under the id of a deleted one is no tombstone", async () => {
  const { as, user } = await makeSignedIn(api);
  const id = Bun.randomUUIDv7();
  const body = { id, name: "Again", exercises: [] };
  expectStatus(await api.post("/api/v1/routines", { as, body }), 201);
  expectStatus(await api.delete(`/api/v1/routines/${id}`, { as }), 204);
  expectStatus(await api.post("/api/v1/routines", { as, body }), 201);
  await start(api, as);
  const rows = await database.pool
    .sql`select from changes where user_id = ${user.id} and gone_at is not null`;
  expect(rows).toHaveLength(0);
});
