import type { Db } from "./client.ts";

/**
 * How long the application's statements may take and wait, whatever they go through: a role's
 * settings pass a pooler.
 */
const LIMITS = {
  statement_timeout: "5s",
  lock_timeout: "2s",
  idle_in_transaction_session_timeout: "5s",
  transaction_timeout: "10s",
};

/**
 * Makes, or brings up to date, the role that the application runs as: it reads and writes rows,
 * also of tables that the asker makes later, under time limits; it changes no schema, and what the
 * audit says it can only add to. For the owner of the database, after migrating. Limits hold for
 * connections made from then on.
 */
export async function ensureAppRole(
  { sql }: Db,
  name: string,
  password: string | undefined,
): Promise<void> {
  const [found] = await sql`select from pg_roles where rolname = ${name}`;
  const role = sql(name);
  if (!found) await sql`create role ${role} login`;
  if (password !== undefined) {
    // Utility statements take no parameters: PostgreSQL quotes it.
    const [made] = await sql<{ text: string }[]>`
      select format('alter role %I password %L', ${name}::text, ${password}::text) as text`;
    await sql.unsafe(made?.text ?? "");
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
