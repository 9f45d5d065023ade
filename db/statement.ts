import type { Row } from "postgres";
import type { Db } from "./client.ts";

/**
 * A statement that is built as text. postgres.js can nest its templates, but each fragment is a
 * query object, and twenty of them cost more than the answer (ADR 0011).
 */
export type Statement = {
  text: string;
  /** Adds a value and returns its placeholder. Values never become part of the text. */
  value(value: StatementValue): string;
  /**
   * Use `prepare: false` for a statement with many variants: each prepared text stays in the memory
   * of every connection.
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
