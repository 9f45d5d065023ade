import { AppError } from "../errors.ts";
import type { WorkoutFilter } from "./workouts.queries.ts";
import type { ListWorkouts } from "./workouts.schemas.ts";

/**
 * What a query asks of the database: one row more than is shown, which tells whether there is a next page. Throws invalid
 * for a cursor that no page gave.
 */
export function workoutWindow({ cursor, pageSize = 20, ...filter }: ListWorkouts): {
  filter: WorkoutFilter;
  pageSize: number;
  limit: number;
} {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  return { filter: { ...filter, after }, pageSize, limit: pageSize + 1 };
}

/** The first `pageSize` of the summaries found as a page, with the cursor of the next one if there are more. */
export function workoutPageJson(found: { json: string; startedAt: string; id: string }[], pageSize: number): string {
  const shown = found.slice(0, pageSize);
  const last = found.length > pageSize ? shown.at(-1) : undefined;
  const nextCursor = last ? Buffer.from(`${last.startedAt} ${last.id}`).toString("base64url") : null;
  return `{"items":[${shown.map(({ json }) => json).join(",")}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}

const CURSOR = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z) ([0-9a-f-]{36})$/;

function readCursor(cursor: string): { startedAt: string; id: string } {
  const match = CURSOR.exec(Buffer.from(cursor, "base64url").toString());
  if (match && !Number.isNaN(Date.parse(match[1] as string)))
    return { startedAt: match[1] as string, id: match[2] as string };
  const errors = [{ field: "/cursor", code: "format", message: "Must be the nextCursor of a page" }];
  throw new AppError("invalid", "invalid_request", "The request does not fit what this operation takes", { errors });
}
