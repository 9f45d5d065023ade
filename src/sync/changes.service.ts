import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import {
  beginGenerationOnNewOrigin,
  deleteOldTombstones,
  type Feed,
  listChanges,
} from "./changes.queries.ts";
import type { ChangesQuery } from "./sync.schemas.ts";

/** A cursor is valid for this long. */
const CURSOR_DAYS = 180;
/** Longer than a cursor is valid, with a margin for clock differences. */
const TOMBSTONE_DAYS = CURSOR_DAYS + 5;
/** The generation of cursors from earlier versions, which do not contain one. */
const FIRST_GENERATION = "00000000-0000-0000-0000-000000000000";

/**
 * One page of the changes of the actor's own entities since `cursor`, as JSON. A client that
 * continues from `nextCursor` misses no change and sees none twice, even under concurrent writes.
 * `db` may be a replica of `primary`. Throws invalid for a malformed cursor; gone
 * (`changes.begin_again`) for one that is too old, or of another history of the database.
 */
export async function listChangesPage(
  { db, primary }: { db: Db; primary: Db },
  actor: Actor,
  { cursor, pageSize = 50 }: ChangesQuery,
): Promise<string> {
  const from = cursor === undefined ? undefined : readCursor(cursor);
  const position = from?.position ?? "0";
  let { feed, changes } = await listChanges(db, actor.userId, position, pageSize + 1);
  // A replica may not have replayed the changes up to the cursor yet.
  if (db !== primary && from && !isValid(from, feed)) {
    ({ feed, changes } = await listChanges(primary, actor.userId, position, pageSize + 1));
  }
  if (feed.hasNewOrigin) {
    await beginGenerationOnNewOrigin(primary);
    ({ feed, changes } = await listChanges(primary, actor.userId, position, pageSize + 1));
  }
  if (from && !isValid(from, feed)) {
    const detail =
      "This cursor is too old, or of another state of the database: read again from the start";
    throw new AppError("gone", "changes.begin_again", detail);
  }
  const page = changes.slice(0, pageSize);
  const items = page.map(
    ({ kind, id, json }) => `{"kind":"${kind}","id":"${id}","state":${json ?? "null"}}`,
  );
  const nextCursor = writeCursor(feed, page.at(-1)?.position ?? position);
  return `{"items":[${items.join(",")}],"nextCursor":"${nextCursor}","hasMore":${changes.length > pageSize}}`;
}

/** Deletes tombstones that no valid cursor can reach. */
export const deleteExpiredTombstones = (db: Db): Promise<void> =>
  deleteOldTombstones(db, TOMBSTONE_DAYS);

/** A decoded cursor; cursors from earlier versions have no generation and no day. */
type Cursor = { position: string; generation: string | undefined; issuedOnDay: number | undefined };

/**
 * Whether a client that continues from the cursor misses nothing: the cursor is of this generation,
 * not beyond the latest change, and no tombstone was deleted since.
 */
function isValid(
  { position, generation = FIRST_GENERATION, issuedOnDay }: Cursor,
  feed: Feed,
): boolean {
  const ageDays = feed.today - (issuedOnDay ?? feed.beganOnDay);
  return (
    generation === feed.generation &&
    ageDays <= CURSOR_DAYS &&
    BigInt(position) <= BigInt(feed.lastPosition)
  );
}

const CURSOR = /^changes (\d{1,18})(?: (\d{1,6}) ([0-9a-f-]{36}))?$/;

const writeCursor = ({ generation, today }: Feed, position: string) =>
  Buffer.from(`changes ${position} ${today} ${generation}`).toString("base64url");

function readCursor(cursor: string): Cursor {
  const match = CURSOR.exec(Buffer.from(cursor, "base64url").toString());
  if (match) {
    const [, position, issuedOnDay, generation] = match;
    return {
      position: position as string,
      generation,
      issuedOnDay: issuedOnDay === undefined ? undefined : Number(issuedOnDay),
    };
  }
  const errors = [
    { field: "/cursor", code: "format", message: "Must be the nextCursor of an answer" },
  ];
  throw new AppError(
    "invalid",
    "invalid_request",
    "The request does not fit what this operation takes",
    { errors },
  );
}
