import type { Db } from "./client.ts";

/**
 * Rows of one table in PostgreSQL's binary COPY format (PostgreSQL manual, COPY, Binary Format),
 * which the server takes in without parsing any text. Each row is begun, then gets its fields in
 * the order of `columns`; undefined is null.
 */
export type Rows = {
  readonly table: string;
  readonly columns: readonly string[];
  count: number;
  /** Bytes so far. */
  size(): number;
  begin(): void;
  int2(value: number | undefined): void;
  int4(value: number | undefined): void;
  /** A `timestamptz`, of milliseconds since 1970. */
  instant(ms: number): void;
  /** A value that is in binary form already: a uuid, or what the functions below make. */
  bytes(value: Uint8Array | undefined): void;
  /** What there is so far, complete; the rows are empty afterwards. */
  take(): Uint8Array;
};

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** The longest single field and what a row begins with fit in here. */
const SLACK = 4096;
const EPOCH_MS = Date.UTC(2000, 0, 1);
const CHUNK = 256 * 1024;

export function createRows(table: string, columns: readonly string[]): Rows {
  let buffer = new Uint8Array(64 * 1024);
  let view = new DataView(buffer.buffer);
  let at = 0;
  const reset = () => {
    buffer.set(SIGNATURE);
    at = SIGNATURE.length;
    rows.count = 0;
  };
  const grow = () => {
    const larger = new Uint8Array(buffer.length * 2);
    larger.set(buffer);
    buffer = larger;
    view = new DataView(buffer.buffer);
  };
  const none = () => {
    view.setInt32(at, -1);
    at += 4;
  };
  const rows: Rows = {
    table,
    columns,
    count: 0,
    size: () => at,
    begin: () => {
      if (at + SLACK > buffer.length) grow();
      view.setInt16(at, columns.length);
      at += 2;
      rows.count++;
    },
    int2: (value) => {
      if (value === undefined) return none();
      view.setInt32(at, 2);
      view.setInt16(at + 4, value);
      at += 6;
    },
    int4: (value) => {
      if (value === undefined) return none();
      view.setInt32(at, 4);
      view.setInt32(at + 4, value);
      at += 8;
    },
    instant: (ms) => {
      const microseconds = (ms - EPOCH_MS) * 1000;
      view.setInt32(at, 8);
      view.setInt32(at + 4, Math.floor(microseconds / 2 ** 32));
      view.setUint32(at + 8, microseconds % 2 ** 32);
      at += 12;
    },
    bytes: (value) => {
      if (value === undefined) return none();
      view.setInt32(at, value.length);
      buffer.set(value, at + 4);
      at += 4 + value.length;
    },
    take: () => {
      if (at + SLACK > buffer.length) grow();
      view.setInt16(at, -1);
      const taken = buffer.slice(0, at + 2);
      reset();
      return taken;
    },
  };
  reset();
  return rows;
}

/**
 * Writes the rows into their table and empties them; nothing when there are none. Throws what the
 * database says.
 */
export async function copyIn({ sql }: Db, rows: Rows): Promise<void> {
  if (rows.count === 0) return;
  const content = rows.take();
  const columns = rows.columns.join(", ");
  const query = sql.unsafe(`copy ${rows.table} (${columns}) from stdin (format binary)`);
  const target = await query.writable();
  await new Promise<void>((resolve, reject) => {
    // postgres.js tells nobody of an error that comes after the last byte, as those of foreign keys
    // do.
    Object.assign(query, { resolve, reject });
    target.once("error", reject);
    let at = 0;
    const send = () => {
      while (at < content.length) {
        const chunk = content.subarray(at, at + CHUNK);
        at += chunk.length;
        if (!target.write(chunk)) return void target.once("drain", send);
      }
      target.end();
    };
    send();
  });
}

export const textBytes = (text: string): Uint8Array => Buffer.from(text);

/** A `jsonb`: the version of its form, then its text. */
export const jsonbBytes = (value: unknown): Uint8Array =>
  Buffer.from(`\u0001${JSON.stringify(value)}`);

/**
 * A `numeric` of ten-thousandths, at least 0, with `scale` (at most 4) digits after the point:
 * groups of four decimal digits behind a header (`numeric_send` in PostgreSQL's numeric.c).
 */
export function numericBytes(tenThousandths: number, scale: number): Uint8Array {
  const groups: number[] = [];
  for (let rest = tenThousandths; rest > 0; rest = Math.floor(rest / 10_000))
    groups.unshift(rest % 10_000);
  const weight = groups.length - 2;
  while (groups.at(-1) === 0) groups.pop();
  const view = new DataView(new ArrayBuffer(8 + 2 * groups.length));
  const header = [groups.length, groups.length === 0 ? 0 : weight, 0, scale];
  for (const [index, value] of [...header, ...groups].entries()) view.setInt16(2 * index, value);
  return new Uint8Array(view.buffer);
}
