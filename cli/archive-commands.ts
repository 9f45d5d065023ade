import { existsSync, readFileSync } from "node:fs";
import { unlink, writeFile } from "node:fs/promises";
import type { CAC } from "cac";
import type { Db } from "#db/client.ts";
import { OperatorError } from "#lib/errors.ts";
import { withDatabase, withInvalidations } from "#src/app/database.ts";
import { exportArchive, importArchive } from "#src/archive/archive.service.ts";
import { insertAuditEvent } from "#src/audit/audit.queries.ts";
import { OPERATOR } from "#src/audit/origin.ts";
import { readConfig } from "#src/config/config.ts";
import { normaliseEmail } from "#src/http/formats.ts";
import { userNotFound } from "#src/users/guards.service.ts";
import { findUser } from "#src/users/users.queries.ts";

/** Commands that export and import accounts as archives. The audit log names an operator. */
export function registerArchiveCommands(cli: CAC): void {
  cli
    .command(
      "user:export <email>",
      "Write an account's exercises, routines, plans and workouts into an archive",
    )
    .option("--out <file>", "The file to write (irontrack.zip)")
    .action(exportTo);
  cli
    .command("user:import <email> <file>", "Import an archive into an empty account")
    .action((email: string, file: string) => importFrom(email, String(file)));
}

async function exportTo(email: string, { out = "irontrack.zip" }: { out?: string }) {
  if (existsSync(out)) throw new OperatorError(`${out} exists: choose another file with --out`, 2);
  await withDatabase(readConfig(process.env), async (db) => {
    const userId = await findUserId(db, email);
    const archive = await exportArchive(db, userId);
    await writeFile(out, archive, { flag: "wx", mode: 0o600 });
    // The audit event is recorded last; without it, the file is removed.
    await insertAuditEvent(db, OPERATOR, "users.exported", { targetUserId: userId }).catch(
      async (error) => {
        await unlink(out);
        throw error;
      },
    );
    console.log(`Wrote ${out} (${archive.length} bytes)`);
  });
}

async function importFrom(email: string, file: string) {
  if (!existsSync(file)) throw new OperatorError(`There is no file ${file}`, 2);
  const archive = readFileSync(file);
  await withInvalidations(readConfig(process.env), async (db, invalidations) => {
    const userId = await findUserId(db, email);
    const { imported, unknown } = await importArchive({ db, invalidations }, userId, archive);
    await insertAuditEvent(db, OPERATOR, "users.imported", { targetUserId: userId });
    const counts = Object.entries(imported).map(([what, count]) => `${count} ${what}`);
    console.log(`Imported ${counts.join(", ")}`);
    if (unknown.length > 0) console.log(`Not in this catalog: ${unknown.join(", ")}`);
  });
}

async function findUserId(db: Db, email: string): Promise<string> {
  const user = await findUser(db, { email: normaliseEmail(email) });
  if (!user) throw userNotFound();
  return user.id;
}
