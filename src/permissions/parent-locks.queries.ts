import type { Db } from "#db/client.ts";
import { canWritePlan, canWriteRoutine } from "./visibility.queries.ts";

/*
 * Workouts, routines and plans are parents: they have parts at positions. A transaction that
 * changes a parent or its parts first locks the parent, so that changes of one parent are
 * serialized. The statements here return only columns of the locked row: after waiting for a lock,
 * PostgreSQL reads that row again, but the rest of the statement still sees the state from before
 * the wait. Later statements of the transaction read what the change depends on.
 */

/** A workout that is locked until the transaction ends. */
export type LockedWorkout = {
  status: string;
  version: number;
  startedAt: string;
  endedAt: string | null;
  isDeleted: boolean;
};

/** Locks a workout of `userId`, even in the trash; undefined if the user has no such workout. */
export async function lockWorkout(
  { sql }: Db,
  userId: string,
  workoutId: string,
): Promise<LockedWorkout | undefined> {
  const [locked] = await sql<LockedWorkout[]>`
    select status, version, started_at::text as "startedAt", ended_at::text as "endedAt",
      deleted_at is not null as "isDeleted"
    from workouts where id = ${workoutId} and user_id = ${userId} for no key update`;
  return locked;
}

/** Locks the workouts and routines that the deletion of an exercise changes, before their parts. */
export async function lockParentsOfExercise({ sql }: Db, exerciseId: string): Promise<void> {
  await sql`
    with locked_workouts as materialized (
      select from workouts
      where id in (select workout_id from workout_exercises where exercise_id = ${exerciseId})
      order by id for no key update
    ), locked_routines as materialized (
      select from routines
      where id in (select routine_id from routine_exercises where exercise_id = ${exerciseId})
      order by id for no key update
    )
    select (select count(*) from locked_workouts) + (select count(*) from locked_routines)`;
}

/**
 * Prevents renames of routines until the transaction ends, because a plan stores their names. Call
 * it before locking the plan: a rename locks the routine first, then its plans.
 */
export async function lockRoutineNames({ sql }: Db, routineIds: string[]): Promise<void> {
  await sql`select from routines where id = any (${routineIds}::uuid[]) order by id for share`;
}

/** A routine or plan that is locked until the transaction ends. */
export type LockedParent = { ownerId: string; isOwner: boolean; version: number };

/** Locks a routine that `userId` may write, else undefined. The write must check again. */
export async function lockRoutine(
  { sql }: Db,
  userId: string,
  routineId: string,
): Promise<LockedParent | undefined> {
  const [locked] = await sql<LockedParent[]>`
    select owner_id as "ownerId", owner_id = ${userId} as "isOwner", version from routines
    where id = ${routineId} and ${canWriteRoutine(sql, userId)}
    for no key update of routines`;
  return locked;
}

/** Locks a plan that `userId` may write, else undefined. The write must check again. */
export async function lockPlan(
  { sql }: Db,
  userId: string,
  planId: string,
): Promise<LockedParent | undefined> {
  const [locked] = await sql<LockedParent[]>`
    select owner_id as "ownerId", owner_id = ${userId} as "isOwner", version from plans
    where id = ${planId} and ${canWritePlan(sql, userId)} for no key update of plans`;
  return locked;
}

/**
 * Locks those of `ids` that are workouts, routines or plans of `userId`, and returns their
 * versions. Uses the same order as other changes (a routine before its plans), so that they cannot
 * deadlock.
 */
export async function lockOwnParents(
  { sql }: Db,
  userId: string,
  ids: string[],
): Promise<{ id: string; version: number }[]> {
  return sql<{ id: string; version: number }[]>`
    with locked_workouts as materialized (
      select id, version from workouts
      where id = any (${ids}::uuid[]) and user_id = ${userId} order by id for no key update
    ), locked_routines as materialized (
      select id, version from routines
      where id = any (${ids}::uuid[]) and owner_id = ${userId} order by id for no key update
    ), locked_plans as materialized (
      select id, version from plans
      where id = any (${ids}::uuid[]) and owner_id = ${userId} order by id for no key update
    )
    select id, version from locked_workouts
    union all select id, version from locked_routines
    union all select id, version from locked_plans`;
}
