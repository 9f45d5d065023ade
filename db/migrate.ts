import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { OperatorError } from "#lib/errors.ts";
import { shippedPath } from "#lib/shipped-files.ts";
import type { Db } from "./client.ts";
import journal from "./migrations/meta/_journal.json" with { type: "json" };

/** Any number that nothing else in this database locks on. */
const LOCK_KEY = 7_106_131_401;
const LOCK_TIMEOUT = "2s";
const LOCK_ATTEMPTS = 10;

export type Migration = { tag: string; hash: string; statements: string[] };
export type MigrationState = { tag: string; appliedAt: string | null };

/** The tag of this code's last migration; tags sort by age. */
export const NEWEST_MIGRATION: string = journal.entries.at(-1)?.tag ?? "";

/** Every migration of this code, oldest first. */
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
 * Applies what is pending, each migration in a transaction of its own, up to and with `to` (all
 * when absent), and returns the tags applied, oldest first. Any number of processes may call it at
 * once: one works, the others wait. Throws OperatorError when the database is newer than this code,
 * or a migration was edited after it was applied.
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

/** Which migrations of this code the database has, oldest first. Writes nothing. */
export async function migrationStates(db: Db): Promise<MigrationState[]> {
  const [{ exists }] =
    (await db.sql`select to_regclass('schema_migrations') is not null as exists`) as unknown as [
      { exists: boolean },
    ];
  const applied = exists ? await listApplied(db) : [];
  const migrations = readMigrations();
  refuseForeign(applied, migrations);
  return migrations.map(({ tag }) => ({
    tag,
    appliedAt: applied.find((row) => row.tag === tag)?.applied_at ?? null,
  }));
}

/** True when it applied the migration, false when the database already had it. */
async function applyOnce(
  db: Db,
  migration: Migration,
  all: Migration[],
  onApply?: (tag: string) => void,
) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction(async (tx) => {
        // Taken in the transaction that it guards: it works through a pooler and ends with its
        // holder.
        await tx.sql`select pg_advisory_xact_lock(${LOCK_KEY})`;
        await tx.sql`create table if not exists schema_migrations (
          tag text constraint schema_migrations_pkey primary key,
          hash text not null,
          applied_at timestamptz not null default now()
        )`;
        const applied = await listApplied(tx);
        refuseForeign(applied, all);
        if (applied.some(({ tag }) => tag === migration.tag)) return false;
        onApply?.(migration.tag);
        // A migration that waits for a lock makes every later statement on that table wait too:
        // give up and retry.
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

function refuseForeign(applied: Applied[], known: Migration[]) {
  for (const { tag, hash } of applied) {
    const migration = known.find((candidate) => candidate.tag === tag);
    if (!migration) {
      throw new OperatorError(
        `The database has migration ${tag}, which this version does not know: use a newer IronTrack`,
      );
    }
    if (migration.hash !== hash)
      throw new OperatorError(`Migration ${tag} was edited after it had been applied`);
  }
}
