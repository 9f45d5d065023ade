import type { Row } from "postgres";
import type { Db } from "./client.ts";

/**
 * A statement that is put together from pieces of text. postgres.js can nest its templates, but
 * each piece is a query object of its own, and a list of twenty pieces cost more than its answer
 * (ADR 0011).
 */
export type Statement = {
  text: string;
  /**
   * Adds a value, and returns what stands for it in the text. Values never become part of the text.
   */
  value(value: StatementValue): string;
  /**
   * `prepare: false` for texts of which there are many: each one that is prepared stays in every
   * connection's memory.
   */
  run<T extends readonly Row[]>(db: Db, options: { prepare: boolean }): Promise<T>;
};

type StatementValue = string | number | number[] | string[] | null;

export function createStatement(): Statement {
  const values: StatementValue[] = [];
  const statement: Statement = {
    text: "",
    value: (value) => `$${values.push(value)}`,
    run: async <T extends readonly Row[]>({ sql }: Db, { prepare }: { prepare: boolean }) =>
      (await sql.unsafe(statement.text, values, {
        prepare: prepare && sql.options.prepare,
      })) as unknown as T,
  };
  return statement;
}
