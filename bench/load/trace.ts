import { OperatorError } from "#lib/errors.ts";

/**
 * One request of a recorded load: when it was due, which operation it asked for, and who of the
 * people asked.
 */
export type TraceLine = { dueMs: number; operation: string; person: number };

const MAX_PEOPLE = 1000;

/** As it is kept: a line of JSON for each request. */
export const traceText = (trace: TraceLine[]): string =>
  trace.map((line) => `${JSON.stringify(line)}\n`).join("");

/**
 * Reads what `traceText` wrote, or somebody's own: due times ascend from 0. Throws OperatorError
 * with the line's number.
 */
export function readTrace(text: string, operations: string[]): TraceLine[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new OperatorError("The trace has no requests", 2);
  let lastMs = 0;
  return lines.map((line, at) => {
    const { dueMs, operation, person = 0 } = parsed(line);
    const isRight =
      typeof dueMs === "number" &&
      dueMs >= lastMs &&
      Number.isInteger(person) &&
      person >= 0 &&
      person < MAX_PEOPLE;
    if (!isRight || !operations.includes(String(operation))) {
      const what =
        "a dueMs that is no earlier than the last, an operation, and a person from 0 to 999";
      throw new OperatorError(`Line ${at + 1} of the trace is none: it needs ${what}`, 2);
    }
    lastMs = dueMs;
    return { dueMs, operation: String(operation), person };
  });
}

function parsed(line: string): Partial<TraceLine> {
  try {
    return Object(JSON.parse(line)) as Partial<TraceLine>;
  } catch {
    return {};
  }
}
