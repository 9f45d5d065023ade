import { afterAll, expect, test } from "bun:test";
import { directTestUrl } from "#test/transaction.ts";
import { type Db, openPool } from "./client.ts";
import { copyIn, createRows, jsonbBytes, numericBytes, textBytes } from "./copy.ts";

// As commands do, which alone copy: PgBouncer (1.24) loses count of its prepared statements when a
// COPY fails.
const pool = openPool(directTestUrl(), { size: 1, prepare: false });
afterAll(() => pool.close());

test("what is copied in binary form is what was meant, null and the ends of ranges included", () =>
  undone(async (db) => {
    await db.sql`create temp table copied (
      small int2, whole int4, moment timestamptz, words text, doc jsonb, exact numeric(8, 4), id uuid) on commit drop`;
    const rows = createRows("copied", ["small", "whole", "moment", "words", "doc", "exact", "id"]);
    const numbers = [0, 1, 9_999, 10_000, 25_000, 1_000_000, 12_345_678, 99_999_999];
    const momentsMs = [
      0,
      1,
      Date.UTC(1999, 11, 31, 23, 59, 59, 999),
      Date.UTC(2000),
      Date.UTC(2025, 5, 1, 12, 0, 0, 7),
    ];
    for (const [at, number] of numbers.entries()) {
      rows.begin();
      rows.int2(at - 32_768);
      rows.int4(2 ** 31 - 1 - at);
      rows.instant(momentsMs[at % momentsMs.length] as number);
      rows.bytes(textBytes(`Zwölf\t\\N ${at}`));
      rows.bytes(jsonbBytes({ at }));
      rows.bytes(numericBytes(number, 4));
      rows.bytes(Uint8Array.from({ length: 16 }, (_, index) => index + at));
    }
    rows.begin();
    rows.int2(undefined);
    rows.int4(undefined);
    rows.instant(0);
    for (let field = 0; field < 4; field++) rows.bytes(undefined);
    await copyIn(db, rows);
    expect(rows.count).toBe(0);
    const found = await db.sql`
      select small, whole, extract(epoch from moment)::float8 * 1000 as ms, words, doc ->> 'at' as at, exact::text, id::text
      from copied order by small nulls last`;
    expect(found.slice(0, -1).map(({ exact }) => exact)).toEqual(
      numbers.map((number) => (number / 10_000).toFixed(4)),
    );
    expect(found.slice(0, 5).map(({ ms }) => Math.round(ms))).toEqual(momentsMs);
    expect(found[7]).toMatchObject({
      ...{ small: -32_761, whole: 2 ** 31 - 8, words: "Zwölf\t\\N 7", at: "7" },
      id: "0708090a-0b0c-0d0e-0f10-111213141516",
    });
    expect(found[8]).toEqual({
      small: null,
      whole: null,
      ms: 0,
      words: null,
      at: null,
      exact: null,
      id: null,
    });
  }));

test("a violated foreign key, which is found after the last row, is thrown", () =>
  undone(async (db) => {
    const rows = createRows("workouts", ["id", "user_id", "status", "started_at", "time_zone"]);
    rows.begin();
    rows.bytes(new Uint8Array(16));
    rows.bytes(new Uint8Array(16));
    rows.bytes(textBytes("in_progress"));
    rows.instant(0);
    rows.bytes(textBytes("UTC"));
    const failure = await db.transaction((tx) => copyIn(tx, rows)).catch((error) => error);
    expect(failure.constraint_name).toBe("workouts_user_id_fkey");
    const [row] = await db.sql`select 1 as one`;
    expect(row?.one).toBe(1);
  }));

test("a violated check, which is found in the middle, is thrown", () =>
  undone(async (db) => {
    await db.sql`create temp table small (value int4 constraint small_check check (value < 10)) on commit drop`;
    const rows = createRows("small", ["value"]);
    for (let value = 0; value < 200_000; value++) {
      rows.begin();
      rows.int4(value);
    }
    const failure = await db.transaction((tx) => copyIn(tx, rows)).catch((error) => error);
    expect(failure.constraint_name).toBe("small_check");
  }));

/**
 * Runs `work` in a transaction of the pool that is rolled back; what tests otherwise use cannot
 * stream.
 */
async function undone(work: (db: Db) => Promise<void>) {
  const done = new Error("done");
  const ended = pool.transaction(async (tx) => {
    await work(tx);
    throw done;
  });
  await ended.catch((error) => {
    if (error !== done) throw error;
  });
}
