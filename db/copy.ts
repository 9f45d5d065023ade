import type { Db } from "./client.ts";

/**
 * A buffer of rows of one table in PostgreSQL's binary COPY format (PostgreSQL manual, COPY, Binary
 * Format), which the server reads without parsing text. Call `startRow`, then append the fields in
 * the order of `columns`; undefined is null.
 */
export type CopyBuffer = {
  readonly table: string;
  readonly columns: readonly string[];
  count: number;
  /** Number of bytes. */
  size(): number;
  startRow(): void;
  int2(value: number | undefined): void;
  int4(value: number | undefined): void;
  /** Takes milliseconds since 1970. */
  timestamptz(ms: number): void;
  /** A value in binary form: a uuid, or the result of a function below. */
  bytes(value: Uint8Array | undefined): void;
  /** Returns the complete COPY data and empties the buffer. */
  take(): Uint8Array;
};

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** Free space for the header of a row and its longest field. */
const SLACK = 4096;
/** Times of the binary format count from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const CHUNK_BYTES = 256 * 1024;

export function createCopyBuffer(table: string, columns: readonly string[]): CopyBuffer {
  let buffer = new Uint8Array(64 * 1024);
  let view = new DataView(buffer.buffer);
  let length = 0;
  const reset = () => {
    buffer.set(SIGNATURE);
    length = SIGNATURE.length;
    rows.count = 0;
  };
  const grow = () => {
    const larger = new Uint8Array(buffer.length * 2);
    larger.set(buffer);
    buffer = larger;
    view = new DataView(buffer.buffer);
  };
  const appendNull = () => {
    view.setInt32(length, -1);
    length += 4;
  };
  const rows: CopyBuffer = {
    table,
    columns,
    count: 0,
    size: () => length,
    startRow: () => {
      if (length + SLACK > buffer.length) grow();
      view.setInt16(length, columns.length);
      length += 2;
      rows.count++;
    },
    int2: (value) => {
      if (value === undefined) return appendNull();
      view.setInt32(length, 2);
      view.setInt16(length + 4, value);
      length += 6;
    },
    int4: (value) => {
      if (value === undefined) return appendNull();
      view.setInt32(length, 4);
      view.setInt32(length + 4, value);
      length += 8;
    },
    timestamptz: (ms) => {
      const microseconds = (ms - EPOCH_MS) * 1000;
      view.setInt32(length, 8);
      view.setInt32(length + 4, Math.floor(microseconds / 2 ** 32));
      view.setUint32(length + 8, microseconds % 2 ** 32);
      length += 12;
    },
    bytes: (value) => {
      if (value === undefined) return appendNull();
      view.setInt32(length, value.length);
      buffer.set(value, length + 4);
      length += 4 + value.length;
    },
    take: () => {
      if (length + SLACK > buffer.length) grow();
      view.setInt16(length, -1);
      const taken = buffer.slice(0, length + 2);
      reset();
      return taken;
    },
  };
  reset();
  return rows;
}

/** Copies the rows into their table and empties the buffer. Throws PostgreSQL's error. */
export async function copyIn({ sql }: Db, rows: CopyBuffer): Promise<void> {
  if (rows.count === 0) return;
  const content = rows.take();
  const columns = rows.columns.join(", ");
  const query = sql.unsafe(`copy ${rows.table} (${columns}) from stdin (format binary)`);
  const target = await query.writable();
  await new Promise<void>((resolve, reject) => {
    // postgres.js does not report errors that arrive after the last byte, such as violations of
    // foreign keys.
    Object.assign(query, { resolve, reject });
    target.once("error", reject);
    let offset = 0;
    const send = () => {
      while (offset < content.length) {
        const chunk = content.subarray(offset, offset + CHUNK_BYTES);
        offset += chunk.length;
        if (!target.write(chunk)) return void target.once("drain", send);
      }
      target.end();
    };
    send();
  });
}

export const textBytes = (text: string): Uint8Array => Buffer.from(text);

/** A `jsonb` value: the version of the format, then the text. */
export const jsonbBytes = (value: unknown): Uint8Array =>
  Buffer.from(`\u0001${JSON.stringify(value)}`);

/**
 * A `numeric` value, given in ten-thousandths (at least 0), with `scale` (at most 4) digits after
 * the point: a header, then groups of four decimal digits (`numeric_send` in PostgreSQL's
 * numeric.c).
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
