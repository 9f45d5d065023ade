/** One record of a CSV file. `row` is the line it begins on, from 1; with a `fault` its fields are not to be trusted. */
export type CsvRecord = {
  row: number;
  fields: string[];
  delimiter: Delimiter;
  fault: { code: "quotes" | "record_too_long"; message: string } | null;
};
export type Delimiter = "," | ";";

export const MOST_RECORD_CHARACTERS = 65_536;

/**
 * The records of a CSV file (RFC 4180) as its text comes, whatever the borders of the chunks; never holds more than a
 * record and a chunk. Lines may end in LF, CRLF or CR, empty ones are left out, so is a byte order mark. The delimiter
 * is whichever of `,` and `;` stands first outside quotes in the first record.
 *
 * After a fault it goes on with the line that follows: a record of more than 65,536 characters ends at its next line
 * break, quoted or not, lest a quote that nobody closed swallow the file.
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  const reader = createReader();
  for await (const chunk of chunks) yield* reader.read(chunk);
  yield* reader.end();
}

const SPECIAL = /[",;\r\n]/g;
const BYTE_ORDER_MARK = "\uFEFF";
const QUOTES_FAULT = { code: "quotes", message: "A quote stands where none may, or is never closed" } as const;
const LENGTH_FAULT = {
  code: "record_too_long",
  message: `A row has at most ${MOST_RECORD_CHARACTERS} characters`,
} as const;

/**
 * `empty`: at the start of a field; `plain`: in one without quotes; `quoted`: in one with; `closed`: behind a quote that
 * closes the field unless another one follows; `skipped`: in a record that is too long.
 */
type State = "empty" | "plain" | "quoted" | "closed" | "skipped";

function createReader() {
  let state: State = "empty";
  let delimiter: Delimiter | null = null;
  let fields: string[] = [];
  let field = "";
  let fault: CsvRecord["fault"] = null;
  let length = 0;
  let line = 1;
  let row = 1;
  let isStart = true;
  let isAfterReturn = false;

  function* read(chunk: string): Generator<CsvRecord> {
    let at = isStart && chunk.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
    isStart &&= chunk === "";
    while (at < chunk.length) {
      SPECIAL.lastIndex = at;
      const next = SPECIAL.exec(chunk)?.index ?? chunk.length;
      if (next > at) addText(chunk.slice(at, next));
      if (next < chunk.length) {
        const record = addSpecial(chunk[next] as string);
        if (record) yield record;
      }
      at = next + 1;
    }
  }

  function* end(): Generator<CsvRecord> {
    if (state === "quoted") fault = QUOTES_FAULT;
    const record = endRecord();
    if (record) yield record;
  }

  function addText(text: string): void {
    isAfterReturn = false;
    count(text.length);
    if (state === "skipped") return;
    if (state === "closed") fault = QUOTES_FAULT;
    if (state !== "quoted") state = "plain";
    field += text;
  }

  function addSpecial(character: string): CsvRecord | null {
    if (character === "\n" || character === "\r") return addLineBreak(character);
    if (character === '"') addQuote();
    else addDelimiter(character as Delimiter);
    return null;
  }

  function addQuote(): void {
    if (state === "plain") {
      addText('"');
      return;
    }
    isAfterReturn = false;
    count(1);
    if (state === "skipped") return;
    if (state === "closed") field += '"';
    state = state === "quoted" ? "closed" : "quoted";
  }

  function addDelimiter(character: Delimiter): void {
    if (state !== "quoted" && state !== "skipped") delimiter ??= character;
    if (state === "quoted" || character !== delimiter) {
      addText(character);
      return;
    }
    isAfterReturn = false;
    count(1);
    if (state === "skipped") return;
    fields.push(field);
    field = "";
    state = "empty";
  }

  function addLineBreak(character: string): CsvRecord | null {
    if (character === "\r" || !isAfterReturn) line++;
    if (state === "quoted") addText(character);
    isAfterReturn = character === "\r";
    // A line break in quotes may have made the record too long, and then ends it as well.
    return state === "quoted" ? null : endRecord();
  }

  function count(characters: number): void {
    length += characters;
    if (length <= MOST_RECORD_CHARACTERS) return;
    state = "skipped";
    fault = LENGTH_FAULT;
    fields = [];
    field = "";
  }

  function endRecord(): CsvRecord | null {
    const isBlank = length === 0;
    const record = { row, fields: [...fields, field], delimiter: delimiter ?? ",", fault };
    if (!isBlank) delimiter ??= ",";
    [state, fields, field, fault, length, row] = ["empty", [], "", null, 0, line];
    return isBlank ? null : record;
  }

  return { read, end };
}
