import type { Db } from "#db/client.ts";
import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import { beginGenerationIfMoved, deleteOldTombstones, type Feed, listChanges } from "./changes.queries.ts";
import type { ChangesQuestion } from "./sync.schemas.ts";

/** A cursor is good for this long after it was given. */
const CURSOR_DAYS = 180;
/** Longer than a cursor, by more than clocks differ. */
const TOMBSTONE_DAYS = CURSOR_DAYS + 5;
/** The generation of cursors that name none, from before there were generations. */
const FIRST_GENERATION = "00000000-0000-0000-0000-000000000000";

/**
 * One page of what changed of the actor's own things since `cursor`, as JSON: a client that goes on from `nextCursor`
 * misses nothing and hears of no change twice, while others write. `db` may be a replica of `primary`. Throws invalid for
 * a cursor that is none; gone (`changes.begin_again`) for one that is too old, or of another history of the database.
 */
export async function listChangesPage(
  { db, primary }: { db: Db; primary: Db },
  actor: Actor,
  { cursor, pageSize = 50 }: ChangesQuestion,
): Promise<string> {
  const from = cursor === undefined ? undefined : readCursor(cursor);
  const place = from?.place ?? "0";
  let { feed, changes } = await listChanges(db, actor.userId, place, pageSize + 1);
  // A replica may not have heard yet of what the cursor names.
  if (db !== primary && from && !isGood(from, feed)) {
    ({ feed, changes } = await listChanges(primary, actor.userId, place, pageSize + 1));
  }
  if (feed.isMoved) {
    await beginGenerationIfMoved(primary);
    ({ feed, changes } = await listChanges(primary, actor.userId, place, pageSize + 1));
  }
  if (from && !isGood(from, feed)) {
    const detail = "This cursor is too old, or of another state of the database: read again from the start";
    throw new AppError("gone", "changes.begin_again", detail);
  }
  const shown = changes.slice(0, pageSize);
  const items = shown.map(({ kind, id, json }) => `{"kind":"${kind}","id":"${id}","state":${json ?? "null"}}`);
  const nextCursor = writeCursor(feed, shown.at(-1)?.place ?? place);
  return `{"items":[${items.join(",")}],"nextCursor":"${nextCursor}","hasMore":${changes.length > pageSize}}`;
}

/** Deletes what only cursors could ask for that are no longer good. */
export const forgetTombstones = (db: Db): Promise<void> => deleteOldTombstones(db, TOMBSTONE_DAYS);

/** What a cursor says; without a generation and a day when it is from before there were any. */
type Cursor = { place: string; generation: string | undefined; givenOnDay: number | undefined };

/** Whether going on from the cursor misses nothing: same history, a place that was in it, no tombstone deleted since. */
function isGood({ place, generation = FIRST_GENERATION, givenOnDay }: Cursor, feed: Feed): boolean {
  const ageDays = feed.today - (givenOnDay ?? feed.beganOnDay);
  return generation === feed.generation && ageDays <= CURSOR_DAYS && BigInt(place) <= BigInt(feed.lastPlace);
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
  const errors = [{ field: "/cursor", code: "format", message: "Must be the nextCursor of an answer" }];
  throw new AppError("invalid", "invalid_request", "The request does not fit what this operation takes", { errors });
}
