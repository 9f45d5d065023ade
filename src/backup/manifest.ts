import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OperatorError } from "#lib/errors.ts";

/** A backup is a directory: a dump in PostgreSQL's custom format, and its manifest. */
export const DUMP_FILE = "database.dump";
export const MANIFEST_FILE = "manifest.json";

const TableContents = Type.Object({
  rows: Type.Integer({ minimum: 0 }),
  /** A hash of the rows as text, in any order. */
  hash: Type.String({ pattern: "^[0-9a-f]{1,32}$" }),
});

export const Manifest = Type.Object({
  format: Type.Literal(1),
  database: Type.String({ minLength: 1 }),
  /** The time of the snapshot that dump and manifest were taken from. */
  takenAt: Type.String(),
  dumpBytes: Type.Integer({ minimum: 1 }),
  dumpSha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  serverVersion: Type.String(),
  toolVersion: Type.String(),
  /** The database's last migration; null if it has none. */
  migration: Type.Union([Type.String(), Type.Null()]),
  tables: Type.Record(Type.String(), TableContents),
});

export type Manifest = Static<typeof Manifest>;
export type Contents = Manifest["tables"];

/** Reads the manifest of the backup in `dir`. Throws OperatorError if it is missing or damaged. */
export function readManifest(dir: string): Manifest {
  let text: string;
  try {
    text = readFileSync(join(dir, MANIFEST_FILE), "utf8");
  } catch {
    throw new OperatorError(`${dir} is not a backup: it has no ${MANIFEST_FILE}`);
  }
  try {
    return Value.Decode(Manifest, JSON.parse(text));
  } catch {
    throw new OperatorError(`${join(dir, MANIFEST_FILE)} is damaged: it is not a valid manifest`);
  }
}

/** Throws OperatorError unless size and checksum of the dump in `dir` match the manifest. */
export async function requireUndamaged(
  dir: string,
  { dumpBytes, dumpSha256 }: Manifest,
): Promise<void> {
  const dump = Bun.file(join(dir, DUMP_FILE));
  if (!(await dump.exists())) throw new OperatorError(`${dir} has no ${DUMP_FILE}`);
  if (dump.size !== dumpBytes || (await sha256Of(dump)) !== dumpSha256) {
    throw new OperatorError(
      `${join(dir, DUMP_FILE)} is damaged: it does not match the manifest. Nothing was restored`,
    );
  }
}

/** The checksum of a file, in hexadecimal. */
export async function sha256Of(file: Bun.BunFile): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const part of file.stream()) hash.update(part);
  return hash.digest("hex");
}
