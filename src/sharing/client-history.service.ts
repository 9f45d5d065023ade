import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import { cursorPage, decodeCursor } from "../http/cursor.ts";
import type { Actor } from "../permissions/actor.ts";
import { findWorkoutJson, listWorkouts } from "../workouts/workouts.queries.ts";
import type { ListWorkouts } from "../workouts/workouts.schemas.ts";
import { findReadableClient } from "./clients.queries.ts";
import { clientNotFound } from "./clients.service.ts";

/**
 * The id of the user whose history the actor may read as the trainer of `clientId`. Throws
 * not_found unless the client currently allows it.
 */
export async function requireReadableClient(
  db: Db,
  actor: Actor,
  clientId: string,
): Promise<string> {
  const userId = await findReadableClient(db, actor.userId, clientId);
  if (userId === undefined) throw clientNotFound();
  return userId;
}

/**
 * One page of a client's workouts as JSON, as the client sees them. Throws as
 * `requireReadableClient`.
 */
export async function listClientWorkouts(
  db: Db,
  actor: Actor,
  clientId: string,
  query: ListWorkouts,
): Promise<string> {
  const { cursor, pageSize = 20, ...filter } = query;
  const after = decodeCursor(cursor);
  const userId = await requireReadableClient(db, actor, clientId);
  return cursorPage(await listWorkouts(db, userId, { ...filter, after }, pageSize + 1), pageSize);
}

/**
 * A client's workout as JSON. Throws as `requireReadableClient`, and not_found if it does not exist
 * or is in the trash.
 */
export async function getClientWorkout(
  db: Db,
  actor: Actor,
  clientId: string,
  workoutId: string,
): Promise<string> {
  const json = await findWorkoutJson(
    db,
    await requireReadableClient(db, actor, clientId),
    workoutId,
  );
  if (json === undefined)
    throw new AppError("not_found", "workouts.not_found", "Workout not found");
  return json;
}
