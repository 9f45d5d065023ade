import { expect, test } from "bun:test";
import fc from "fast-check";
import { type CsvRecord, readCsv } from "./csv.rules.ts";
import { MAX_RECORD_CHARACTERS } from "./csv-record.rules.ts";

const read = (text: string): CsvRecord[] => [...readCsv(text)];
const fieldsOf = (text: string) => read(text).map(({ fields }) => fields);
const faultsOf = (text: string) =>
  read(text).map(({ line, fields, fault }) => (fault ? [line, fault.code] : [line, ...fields]));

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
  expect(fieldsOf(text)).toEqual([
    ["a", "b"],
    ["1", "2"],
  ]);
});

test("quotes hold delimiters, line breaks and doubled quotes, and a comma is text between semicolons", () => {
  expect(fieldsOf('a;b;c\n"x;y";"line\r\nbreak";"say ""hi"""\n62,5;"";\n')).toEqual([
    ["a", "b", "c"],
    ["x;y", "line\r\nbreak", 'say "hi"'],
    ["62,5", "", ""],
  ]);
});

test("the delimiter is the first outside quotes, and a comma where there is none", () => {
  const delimiters = (text: string) => read(text).map(({ delimiter }) => delimiter);
  expect(delimiters('"a,b";c,d\n1;2\n')).toEqual([";", ";"]);
  expect(delimiters("a\nb;c\n")).toEqual([",", ","]);
  expect(fieldsOf("a\nb;c\n")).toEqual([["a"], ["b;c"]]);
});

test("a record has the number of its first line, even after fields that span lines", () => {
  const text = 'a,b\n"1\n2\r\n3\r4",5\r\n\n6,7\r8,9\n';
  expect(read(text).map(({ line }) => line)).toEqual([1, 2, 7, 8]);
});

test("a quote inside a field without quotes is text", () => {
  expect(fieldsOf('a,b\n5" box,x""y\n')).toEqual([
    ["a", "b"],
    ['5" box', 'x""y'],
  ]);
});

test("a quote that is not doubled is text where no field can end, over several lines too", () => {
  const text = [
    "a;b;c",
    '"use 12" bar";"x";1',
    '"x";"see "form"\nline two";2',
    '"12"";"x";3',
    '"x";"6" and 7"";5',
  ].join("\n");
  expect(faultsOf(text)).toEqual([
    [1, "a", "b", "c"],
    [2, 'use 12" bar', "x", "1"],
    [3, "x", 'see "form"\nline two', "2"],
    [5, '12"', "x", "3"],
    [6, "x", '6" and 7"', "5"],
  ]);
});

test("a broken quoted field is a fault of its line only", () => {
  expect(faultsOf('a,b\n"5" box,1\n2,3\n"4,5\n6,7\n8,"9')).toEqual([
    [1, "a", "b"],
    [2, "quotes"],
    [3, "2", "3"],
    [4, "quotes"],
    [5, "6", "7"],
    [6, "quotes"],
  ]);
});

test("the lines of a broken field are fragments of its record, until its quotes are closed or a valid record follows", () => {
  const records = read('a,b,c\n"x "y" z\nz\n1,2"\n3,4\n5,6,7\n"8" 9\n0\n"1,2\n3\n4,5,6\n7\n');
  expect(
    records.map(({ line, fault, isFragment }) => [line, fault?.code ?? null, isFragment]),
  ).toEqual([
    [1, null, false],
    [2, "quotes", false],
    [3, "columns", true],
    [4, "columns", true],
    [5, "columns", false],
    [6, null, false],
    [7, "quotes", false],
    [8, "columns", false],
    [9, "quotes", false],
    [10, "columns", true],
    [11, null, false],
    [12, "columns", false],
  ]);
});

test("a record that is too long is a fault, and the line after it is read", () => {
  const longField = "x".repeat(MAX_RECORD_CHARACTERS);
  const longestRecord = `${longField.slice(0, -2)},y`;
  const text = `a,b\n${longestRecord}\n${longField},y\n"z",""\n"${longField}\n1,2\n"${"\n".repeat(MAX_RECORD_CHARACTERS)}3,4\n`;
  const expected = [
    [1, "a", "b"],
    [2, longField.slice(0, -2), "y"],
    [3, "record_too_long"],
    [4, "z", ""],
    [5, "record_too_long"],
    [6, "1", "2"],
    [7, "quotes"],
    [7 + MAX_RECORD_CHARACTERS, "3", "4"],
  ];
  expect(faultsOf(text)).toEqual(expected);
});

test("any table written as CSV reads back the same, whatever the delimiter and the line breaks", () => {
  const field = fc.oneof(
    fc.string({
      unit: fc.constantFrom(",", ";", '"', "\n", "\r", "a", "é", "💪", " ", "\uFEFF"),
      maxLength: 8,
    }),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const table = fc.integer({ min: 1, max: 5 }).chain((columnCount) =>
    fc.array(fc.array(field, { minLength: columnCount, maxLength: columnCount }), {
      minLength: 1,
      maxLength: 8,
    }),
  );
  const arbitraries = {
    table,
    delimiter: fc.constantFrom(",", ";", "\t", "|"),
    lineBreak: fc.constantFrom("\n", "\r\n", "\r"),
    quotesAll: fc.boolean(),
    hasByteOrderMark: fc.boolean(),
  };
  fc.assert(
    fc.property(
      fc.record(arbitraries),
      ({ table, delimiter, lineBreak, quotesAll, hasByteOrderMark }) => {
        const quote = (text: string) =>
          quotesAll || text === "" || /[",;\t|\r\n\uFEFF]/.test(text)
            ? `"${text.replaceAll('"', '""')}"`
            : text;
        const text = table.map((row) => row.map(quote).join(delimiter)).join(lineBreak);
        const records = read((hasByteOrderMark ? "\uFEFF" : "") + text);
        expect(records.map(({ fields }) => fields)).toEqual(table);
        expect(records.every(({ fault }) => fault === null)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
