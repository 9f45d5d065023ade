import { expect, test } from "bun:test";
import fc from "fast-check";
import { type CsvRecord, MOST_RECORD_CHARACTERS, readCsv } from "./csv.rules.ts";

async function* inChunks(text: string, sizes: number[] = [text.length]): AsyncGenerator<string> {
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    yield text.slice(at, at + size);
    at += size;
  }
}

const read = (text: string, sizes?: number[]): Promise<CsvRecord[]> => Array.fromAsync(readCsv(inChunks(text, sizes)));
const fieldsOf = async (text: string) => (await read(text)).map(({ fields }) => fields);
const faultsOf = async (text: string, sizes?: number[]) =>
  (await read(text, sizes)).map(({ row, fields, fault }) => (fault ? [row, fault.code] : [row, ...fields]));

test.each([
  ["LF", "a,b\n1,2\n"],
  ["CRLF", "a,b\r\n1,2\r\n"],
  ["CR", "a,b\r1,2\r"],
  ["no line break at the end", "a,b\n1,2"],
  ["a byte order mark", "\uFEFFa,b\n1,2\n"],
  ["a byte order mark before a quote", '\uFEFF"a","b"\n"1","2"\n'],
  ["empty lines", "\n\na,b\n\r\n\n1,2\n\n"],
  ["semicolons", "a;b\n1;2\n"],
])("a file with %s is read", async (_name, text) => {
  expect(await fieldsOf(text)).toEqual([
    ["a", "b"],
    ["1", "2"],
  ]);
});

test("quotes hold delimiters, line breaks and doubled quotes, and a comma is text between semicolons", async () => {
  expect(await fieldsOf('a;b;c\n"x;y";"line\r\nbreak";"say ""hi"""\n62,5;"";\n')).toEqual([
    ["a", "b", "c"],
    ["x;y", "line\r\nbreak", 'say "hi"'],
    ["62,5", "", ""],
  ]);
});

test("the delimiter is the first outside quotes, and a comma where there is none", async () => {
  const delimiters = async (text: string) => (await read(text)).map(({ delimiter }) => delimiter);
  expect(await delimiters('"a,b";c,d\n1;2\n')).toEqual([";", ";"]);
  expect(await delimiters("a\nb;c\n")).toEqual([",", ","]);
  expect(await fieldsOf("a\nb;c\n")).toEqual([["a"], ["b;c"]]);
});

test("a record says on which line it begins, whatever lines its fields span", async () => {
  const text = 'a,b\n"1\n2\r\n3\r4",5\r\n\n6,7\r8,9\n';
  const rows = [1, 2, 7, 8];
  for (const size of [1, 2, 3, text.length]) {
    expect((await read(text, [size])).map(({ row }) => row)).toEqual(rows);
  }
});

test("a quote inside a field without quotes is text", async () => {
  expect(await fieldsOf('a,b\n5" box,x""y\n')).toEqual([
    ["a", "b"],
    ['5" box', 'x""y'],
  ]);
});

test("text behind a closing quote, and a quote that is never closed, are faults of their rows only", async () => {
  expect(await faultsOf('a,b\n"5" box,1\n2,3\n"4"",5\n6,7')).toEqual([
    [1, "a", "b"],
    [2, "quotes"],
    [3, "2", "3"],
    [4, "quotes"],
  ]);
});

test("a record that is too long is a fault, and the line after it is read", async () => {
  const long = "x".repeat(MOST_RECORD_CHARACTERS);
  const fits = `${long.slice(0, -2)},y`;
  const text = `a,b\n${fits}\n${long},y\n"z",""\n"${long}\n1,2\n"${"\n".repeat(MOST_RECORD_CHARACTERS)}3,4\n`;
  const expected = [
    [1, "a", "b"],
    [2, long.slice(0, -2), "y"],
    [3, "record_too_long"],
    [4, "z", ""],
    [5, "record_too_long"],
    [6, "1", "2"],
    [7, "record_too_long"],
    [7 + MOST_RECORD_CHARACTERS, "3", "4"],
  ];
  expect(await faultsOf(text)).toEqual(expected);
  expect(await faultsOf(text, [1000, 7])).toEqual(expected);
});

test("any table written as CSV reads back the same, whatever the delimiter, the line breaks and the chunks", async () => {
  const cell = fc.oneof(
    fc.string({ unit: fc.constantFrom(",", ";", '"', "\n", "\r", "a", "é", "💪", " ", "\uFEFF"), maxLength: 8 }),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));
  const setup = {
    table,
    delimiter: fc.constantFrom(",", ";"),
    lineBreak: fc.constantFrom("\n", "\r\n", "\r"),
    isQuotedAlways: fc.boolean(),
    hasMark: fc.boolean(),
    sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
  };
  await fc.assert(
    fc.asyncProperty(fc.record(setup), async ({ table, delimiter, lineBreak, isQuotedAlways, hasMark, sizes }) => {
      const write = (text: string) =>
        isQuotedAlways || text === "" || /[",;\r\n\uFEFF]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
      const text = table.map((row) => row.map(write).join(delimiter)).join(lineBreak);
      const records = await read((hasMark ? "\uFEFF" : "") + text, sizes);
      expect(records.map(({ fields }) => fields)).toEqual(table);
      expect(records.every(({ fault }) => fault === null)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
