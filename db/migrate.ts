import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { OperatorError } from "#lib/errors.ts";
import { shippedPath } from "#lib/shipped-files.ts";
import type { Db } from "./client.ts";
import journal from "./migrations/meta/_journal.json" with { type: "json" };

/** An arbitrary number that no other advisory lock of this database uses. */
const LOCK_KEY = 7_106_131_401;
const LOCK_TIMEOUT = "2s";
const LOCK_ATTEMPTS = 10;

export type Migration = { tag: string; hash: string; statements: string[] };
export type MigrationState = { tag: string; appliedAt: string | null };

/** The tag of the newest migration; tags sort by age. */
export const NEWEST_MIGRATION: string = journal.entries.at(-1)?.tag ?? "";

/** All migrations, oldest first. */
export function readMigrations(): Migration[] {
  return journal.entries.map(({ tag }) => {
    const source = readFileSync(shippedPath(`db/migrations/${tag}.sql`), "utf8");
    return {
      tag,
      hash: createHash("sha256").update(source).digest("hex"),
      statements: source.split("--> statement-breakpoint"),
    };
  });
}

/**
 * Applies the pending migrations, up to and including `to` if given, each in its own transaction,
 * and returns their tags, oldest first. Any number of processes may call it at the same time: one
 * migrates, the others wait. Throws OperatorError if the database is newer than this code, or if a
 * migration was edited after it had been applied.
 */
export async function migrate(
  db: Db,
  to?: string,
  onApply?: (tag: string) => void,
): Promise<string[]> {
  const migrations = readMigrations();
  const last =
    to === undefined ? migrations.length - 1 : migrations.findIndex(({ tag }) => tag === to);
  if (last < 0)
    throw new OperatorError(
      `There is no migration ${to}; the last is ${migrations.at(-1)?.tag}`,
      2,
    );
  const applied: string[] = [];
  for (const migration of migrations.slice(0, last + 1)) {
    if (await applyOnce(db, migration, migrations, onApply)) applied.push(migration.tag);
  }
  return applied;
}

/** All migrations and when the database applied them, oldest first. Writes nothing. */
export async function migrationStates(db: Db): Promise<MigrationState[]> {
  const [{ exists }] =
    (await db.sql`select to_regclass('schema_migrations') is not null as exists`) as unknown as [
      { exists: boolean },
    ];
  const applied = exists ? await listApplied(db) : [];
  const migrations = readMigrations();
  checkApplied(applied, migrations);
  return migrations.map(({ tag }) => ({
    tag,
    appliedAt: applied.find((row) => row.tag === tag)?.applied_at ?? null,
  }));
}

/** Returns false if the database already had the migration. */
async function applyOnce(
  db: Db,
  migration: Migration,
  all: Migration[],
  onApply?: (tag: string) => void,
) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction(async (tx) => {
        // A transaction lock works through a pooler and is released if this process dies.
        await tx.sql`select pg_advisory_xact_lock(${LOCK_KEY})`;
        await tx.sql`create table if not exists schema_migrations (
          tag text constraint schema_migrations_pkey primary key,
          hash text not null,
          applied_at timestamptz not null default now()
        )`;
        const applied = await listApplied(tx);
        checkApplied(applied, all);
        if (applied.some(({ tag }) => tag === migration.tag)) return false;
        onApply?.(migration.tag);
        // While a migration waits for a lock, all later statements on that table wait behind it, so
        // it gives up and retries.
        await tx.sql.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
        for (const statement of migration.statements) await tx.sql.unsafe(statement);
        await tx.sql`insert into schema_migrations (tag, hash) values (${migration.tag}, ${migration.hash})`;
        return true;
      });
    } catch (error) {
      const timedOut = (error as { code?: string }).code === "55P03";
      if (!timedOut || attempt === LOCK_ATTEMPTS) throw error;
      await Bun.sleep(200 * attempt);
    }
  }
}

type Applied = { tag: string; hash: string; applied_at: string };

const listApplied = (db: Db) =>
  db.sql<Applied[]>`select tag, hash, applied_at from schema_migrations order by tag`;

function checkApplied(applied: Applied[], migrations: Migration[]) {
  for (const { tag, hash } of applied) {
    const migration = migrations.find((candidate) => candidate.tag === tag);
    if (!migration) {
      throw new OperatorError(
        `The database has migration ${tag}, which this version does not know: use a newer IronTrack`,
      );
    }
    if (migration.hash !== hash)
      throw new OperatorError(`Migration ${tag} was edited after it had been applied`);
  }
}
