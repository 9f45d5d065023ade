import { afterAll, expect, test } from "bun:test";
import { directTestUrl } from "#test/transaction.ts";
import { type Db, openPool } from "./client.ts";
import { copyIn, createCopyBuffer, jsonbBytes, numericBytes, textBytes } from "./copy.ts";

// Only commands copy, and they connect directly: PgBouncer (1.24) loses track of its prepared
// statements when a COPY fails.
const pool = openPool(directTestUrl(), { size: 1, prepare: false });
afterAll(() => pool.close());

test("binary COPY writes every type correctly, including null and the limits of ranges", () =>
  rolledBack(async (db) => {
    await db.sql`create temp table copied (
      small int2, whole int4, moment timestamptz, words text, doc jsonb, exact numeric(8, 4), id uuid) on commit drop`;
    const rows = createCopyBuffer("copied", [
      "small",
      "whole",
      "moment",
      "words",
      "doc",
      "exact",
      "id",
    ]);
    const numbers = [0, 1, 9_999, 10_000, 25_000, 1_000_000, 12_345_678, 99_999_999];
    const momentsMs = [
      0,
      1,
      Date.UTC(1999, 11, 31, 23, 59, 59, 999),
      Date.UTC(2000),
      Date.UTC(2025, 5, 1, 12, 0, 0, 7),
    ];
    for (const [index, number] of numbers.entries()) {
      rows.startRow();
      rows.int2(index - 32_768);
      rows.int4(2 ** 31 - 1 - index);
      rows.timestamptz(momentsMs[index % momentsMs.length] as number);
      rows.bytes(textBytes(`Zwölf\t\\N ${index}`));
      rows.bytes(jsonbBytes({ index }));
      rows.bytes(numericBytes(number, 4));
      rows.bytes(Uint8Array.from({ length: 16 }, (_, byte) => byte + index));
    }
    rows.startRow();
    rows.int2(undefined);
    rows.int4(undefined);
    rows.timestamptz(0);
    for (let field = 0; field < 4; field++) rows.bytes(undefined);
    await copyIn(db, rows);
    expect(rows.count).toBe(0);
    const copied = await db.sql`
      select small, whole, extract(epoch from moment)::float8 * 1000 as ms, words, doc ->> 'index' as index, exact::text, id::text
      from copied order by small nulls last`;
    expect(copied.slice(0, -1).map(({ exact }) => exact)).toEqual(
      numbers.map((number) => (number / 10_000).toFixed(4)),
    );
    expect(copied.slice(0, 5).map(({ ms }) => Math.round(ms))).toEqual(momentsMs);
    expect(copied[7]).toMatchObject({
      small: -32_761,
      whole: 2 ** 31 - 8,
      words: "Zwölf\t\\N 7",
      index: "7",
      id: "0708090a-0b0c-0d0e-0f10-111213141516",
    });
    expect(copied[8]).toEqual({
      small: null,
      whole: null,
      ms: 0,
      words: null,
      index: null,
      exact: null,
      id: null,
    });
  }));

test("a violated foreign key, which PostgreSQL detects after the last row, is thrown", () =>
  rolledBack(async (db) => {
    const rows = createCopyBuffer("workouts", [
      "id",
      "user_id",
      "status",
      "started_at",
      "time_zone",
    ]);
    rows.startRow();
    rows.bytes(new Uint8Array(16));
    rows.bytes(new Uint8Array(16));
    rows.bytes(textBytes("in_progress"));
    rows.timestamptz(0);
    rows.bytes(textBytes("UTC"));
    const failure = await db.transaction((tx) => copyIn(tx, rows)).catch((error) => error);
    expect(failure.constraint_name).toBe("workouts_user_id_fkey");
    const [row] = await db.sql`select 1 as one`;
    expect(row?.one).toBe(1);
  }));

test("a violated check, which PostgreSQL detects during the copy, is thrown", () =>
  rolledBack(async (db) => {
    await db.sql`create temp table small (value int4 constraint small_check check (value < 10)) on commit drop`;
    const rows = createCopyBuffer("small", ["value"]);
    for (let value = 0; value < 200_000; value++) {
      rows.startRow();
      rows.int4(value);
    }
    const failure = await db.transaction((tx) => copyIn(tx, rows)).catch((error) => error);
    expect(failure.constraint_name).toBe("small_check");
  }));

/** Runs `work` in a transaction that is rolled back. The one of the test harness cannot stream. */
async function rolledBack(work: (db: Db) => Promise<void>) {
  const rollback = new Error("rollback");
  const transaction = pool.transaction(async (tx) => {
    await work(tx);
    throw rollback;
  });
  await transaction.catch((error) => {
    if (error !== rollback) throw error;
  });
}
