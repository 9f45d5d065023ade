import { AppError } from "#lib/errors.ts";
import { isTime } from "./formats.ts";

/** The position of an entry in a list that is ordered by time, then by id. */
export type Cursor = { startedAt: string; id: string };

/** A page of the first `pageSize` rows as JSON; `rows` has one more if there is a next page. */
export function cursorPage(rows: ({ json: string } & Cursor)[], pageSize: number): string {
  const page = rows.slice(0, pageSize);
  const last = rows.length > pageSize ? page.at(-1) : undefined;
  const nextCursor = last
    ? Buffer.from(`${last.startedAt} ${last.id}`).toString("base64url")
    : null;
  return `{"items":[${page.map(({ json }) => json).join(",")}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}

const CURSOR =
  /^([12]\d{3}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Decodes the cursor that a page starts after. Throws invalid if it is not a `nextCursor`. */
export function decodeCursor(cursor: string | undefined): Cursor | undefined {
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
