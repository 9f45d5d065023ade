import { AppError } from "#lib/errors.ts";
import { isTime } from "./formats.ts";

/** Where an entry stands in a list that is ordered by time, ties by id. */
export type Place = { startedAt: string; id: string };

/**
 * A page as JSON of the first `pageSize` of `found`, which holds one entry more when there is a
 * next page.
 */
export function cursorPage(found: ({ json: string } & Place)[], pageSize: number): string {
  const shown = found.slice(0, pageSize);
  const last = found.length > pageSize ? shown.at(-1) : undefined;
  const nextCursor = last
    ? Buffer.from(`${last.startedAt} ${last.id}`).toString("base64url")
    : null;
  return `{"items":[${shown.map(({ json }) => json).join(",")}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}

const CURSOR =
  /^([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The place after which a page begins. Throws invalid for what is no `nextCursor`. */
export function placeOf(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  const match = CURSOR.exec(Buffer.from(cursor, "base64url").toString());
  if (match && isTime(match[1] as string))
    return { startedAt: match[1] as string, id: match[2] as string };
  const errors = [
    { field: "/cursor", code: "format", message: "Must be the nextCursor of a page" },
  ];
  throw new AppError(
    "invalid",
    "invalid_request",
    "The request does not fit what this operation takes",
    { errors },
  );
}
