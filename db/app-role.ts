import type { Db } from "./client.ts";

/** Time limits of the application's statements. As settings of the role they work with a pooler. */
const LIMITS = {
  statement_timeout: "5s",
  lock_timeout: "2s",
  idle_in_transaction_session_timeout: "5s",
  transaction_timeout: "10s",
};

/**
 * Creates or updates the role that the application connects as. It may read and write rows, also
 * of tables that the caller creates later, but not change the schema, and only insert audit events.
 * The caller must own the database and have migrated it. New connections get the time limits.
 */
export async function ensureAppRole(
  { sql }: Db,
  name: string,
  password: string | undefined,
): Promise<void> {
  const [existing] = await sql`select from pg_roles where rolname = ${name}`;
  const role = sql(name);
  if (!existing) await sql`create role ${role} login`;
  if (password !== undefined) {
    // Utility statements take no parameters, so PostgreSQL quotes the password.
    const [statement] = await sql<{ text: string }[]>`
      select format('alter role %I password %L', ${name}::text, ${password}::text) as text`;
    await sql.unsafe(statement?.text ?? "");
  }
  for (const [setting, value] of Object.entries(LIMITS)) {
    await sql`alter role ${role} set ${sql(setting)} = ${sql.unsafe(`'${value}'`)}`;
  }
  await sql`grant usage on schema public to ${role}`;
  await sql`grant select, insert, update, delete on all tables in schema public to ${role}`;
  await sql`grant usage on all sequences in schema public to ${role}`;
  await sql`alter default privileges in schema public grant select, insert, update, delete on tables to ${role}`;
  await sql`alter default privileges in schema public grant usage on sequences to ${role}`;
  await sql`revoke update, delete on audit_events from ${role}`;
  await sql`revoke insert, update, delete on schema_migrations from ${role}`;
}
