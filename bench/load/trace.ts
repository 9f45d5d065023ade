import { OperatorError } from "#lib/errors.ts";

/**
 * One request of a recorded load: when it was due, its operation, and the number of the account
 * that sent it.
 */
export type TraceLine = { dueMs: number; operation: string; person: number };

const MAX_PEOPLE = 1000;

/** A line of JSON for each request. */
export const traceText = (trace: TraceLine[]): string =>
  trace.map((line) => `${JSON.stringify(line)}\n`).join("");

/**
 * Parses a trace in the format of `traceText`. Due times ascend from 0. Throws OperatorError with
 * the line number.
 */
export function parseTrace(text: string, operations: string[]): TraceLine[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new OperatorError("The trace has no requests", 2);
  let lastMs = 0;
  return lines.map((line, index) => {
    const { dueMs, operation, person = 0 } = parseLine(line);
    const isValid =
      typeof dueMs === "number" &&
      dueMs >= lastMs &&
      Number.isInteger(person) &&
      person >= 0 &&
      person < MAX_PEOPLE;
    if (!isValid || !operations.includes(String(operation))) {
      const what =
        "a dueMs that is no earlier than the last, an operation, and a person from 0 to 999";
      throw new OperatorError(`Line ${index + 1} of the trace is wrong: it needs ${what}`, 2);
    }
    lastMs = dueMs;
    return { dueMs, operation: String(operation), person };
  });
}

function parseLine(line: string): Partial<TraceLine> {
  try {
    return Object(JSON.parse(line)) as Partial<TraceLine>;
  } catch {
    return {};
  }
}
