import type { Db } from "#db/client.ts";
import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import { listChanges } from "./changes.queries.ts";
import type { ChangesQuestion } from "./sync.schemas.ts";

/**
 * One page of what changed of the actor's own things since `cursor`, as JSON: whoever goes on from `nextCursor` misses
 * nothing and hears of no change twice, while others write. Throws invalid for a cursor that is none.
 */
export async function listChangesPage(
  db: Db,
  actor: Actor,
  { cursor, pageSize = 50 }: ChangesQuestion,
): Promise<string> {
  const place = cursor === undefined ? "0" : readCursor(cursor);
  const found = await listChanges(db, actor.userId, place, pageSize + 1);
  const shown = found.slice(0, pageSize);
  const items = shown.map(({ kind, id, json }) => `{"kind":"${kind}","id":"${id}","state":${json ?? "null"}}`);
  const nextCursor = Buffer.from(`changes ${shown.at(-1)?.place ?? place}`).toString("base64url");
  return `{"items":[${items.join(",")}],"nextCursor":"${nextCursor}","hasMore":${found.length > pageSize}}`;
}

const CURSOR = /^changes (\d{1,18})$/;

function readCursor(cursor: string): string {
  const match = CURSOR.exec(Buffer.from(cursor, "base64url").toString());
  if (match) return match[1] as string;
  const errors = [{ field: "/cursor", code: "format", message: "Must be the nextCursor of an answer" }];
  throw new AppError("invalid", "invalid_request", "The request does not fit what this operation takes", { errors });
}
