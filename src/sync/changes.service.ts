import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "../permissions/actor.ts";
import {
  beginGenerationIfMoved,
  deleteOldTombstones,
  type Feed,
  listChanges,
} from "./changes.queries.ts";
import type { ChangesQuestion } from "./sync.schemas.ts";

/** A cursor is valid for this long. */
const CURSOR_DAYS = 180;
/** Longer than a cursor is valid, by more than clocks differ. */
const TOMBSTONE_DAYS = CURSOR_DAYS + 5;
/** The generation of cursors from earlier versions, which name none. */
const FIRST_GENERATION = "00000000-0000-0000-0000-000000000000";

/**
 * One page of the changes of the actor's own things since `cursor`, as JSON. A client that
 * continues from `nextCursor` misses no change and sees none twice, while others write. `db` may be
 * a replica of `primary`. Throws invalid for a malformed cursor; gone (`changes.begin_again`) for
 * one that is too old, or of another history of the database.
 */
export async function listChangesPage(
  { db, primary }: { db: Db; primary: Db },
  actor: Actor,
  { cursor, pageSize = 50 }: ChangesQuestion,
): Promise<string> {
  const from = cursor === undefined ? undefined : readCursor(cursor);
  const place = from?.place ?? "0";
  let { feed, changes } = await listChanges(db, actor.userId, place, pageSize + 1);
  // A replica may not have replayed the changes that the cursor names.
  if (db !== primary && from && !isGood(from, feed)) {
    ({ feed, changes } = await listChanges(primary, actor.userId, place, pageSize + 1));
  }
  if (feed.isMoved) {
    await beginGenerationIfMoved(primary);
    ({ feed, changes } = await listChanges(primary, actor.userId, place, pageSize + 1));
  }
  if (from && !isGood(from, feed)) {
    const detail =
      "This cursor is too old, or of another state of the database: read again from the start";
    throw new AppError("gone", "changes.begin_again", detail);
  }
  const shown = changes.slice(0, pageSize);
  const items = shown.map(
    ({ kind, id, json }) => `{"kind":"${kind}","id":"${id}","state":${json ?? "null"}}`,
  );
  const nextCursor = writeCursor(feed, shown.at(-1)?.place ?? place);
  return `{"items":[${items.join(",")}],"nextCursor":"${nextCursor}","hasMore":${changes.length > pageSize}}`;
}

/** Deletes tombstones that no valid cursor can reach. */
export const forgetTombstones = (db: Db): Promise<void> => deleteOldTombstones(db, TOMBSTONE_DAYS);

/** A decoded cursor; cursors from earlier versions have no generation and no day. */
type Cursor = { place: string; generation: string | undefined; givenOnDay: number | undefined };

/**
 * Whether a client that continues from the cursor misses nothing: same history, a place in it, no
 * tombstone deleted since.
 */
function isGood({ place, generation = FIRST_GENERATION, givenOnDay }: Cursor, feed: Feed): boolean {
  const ageDays = feed.today - (givenOnDay ?? feed.beganOnDay);
  return (
    generation === feed.generation &&
    ageDays <= CURSOR_DAYS &&
    BigInt(place) <= BigInt(feed.lastPlace)
  );
}

const CURSOR = /^changes (\d{1,18})(?: (\d{1,6}) ([0-9a-f-]{36}))?$/;

const writeCursor = ({ generation, today }: Feed, place: string) =>
  Buffer.from(`changes ${place} ${today} ${generation}`).toString("base64url");

function readCursor(cursor: string): Cursor {
  const match = CURSOR.exec(Buffer.from(cursor, "base64url").toString());
  if (match) {
    const [, place, givenOnDay, generation] = match;
    return {
      place: place as string,
      generation,
      givenOnDay: givenOnDay === undefined ? undefined : Number(givenOnDay),
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
