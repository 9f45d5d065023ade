import type { Db } from "#db/client.ts";
import { postgresError } from "#lib/causes.ts";
import { OperatorError } from "#lib/errors.ts";
import type { Athlete } from "./athletes.ts";
import type { KnownExercise } from "./training.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Lets the rest of this transaction write without triggers: foreign keys look up for every row what
 * it refers to, which is half of the work. What is not written in the same transaction, the
 * exercises, is locked as they would. `catchUp` must follow. Throws OperatorError unless the
 * database's user is a superuser.
 */
export async function putOffTriggers(
  { sql }: Db,
  exercises: Map<string, KnownExercise>,
): Promise<void> {
  const ids = [...exercises.values()].map(({ id }) => Buffer.from(id).toString("hex"));
  const locked =
    await sql`select from exercises where id = any (${ids}::uuid[]) order by id for key share`;
  if (locked.length < ids.length)
    throw new OperatorError("The catalog is being changed; try again");
  try {
    await sql`set local session_replication_role = replica`;
  } catch (error) {
    if (postgresError(error)?.code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new OperatorError(
      "--fast needs a database user who is a superuser; it works without, more slowly",
    );
  }
}

/**
 * Does for all rows at once what triggers would have done for each: records the workouts as changes
 * of their new users, of whom nobody else can know yet, and checks that all `sets` that were
 * written are in exercises of workouts.
 */
export async function catchUp({ sql }: Db, athletes: Athlete[], sets: number): Promise<void> {
  const ids = athletes.map(({ id }) => Buffer.from(id).toString("hex"));
  await sql`
    insert into changes (user_id, kind, entity_id, place, version)
    select user_id, 'workout', id, nextval('changes_place'), version from (
      select user_id, id, version from workouts where user_id = any (${ids}::uuid[]) order by id
    ) as written`;
  const [found] = await sql<{ sets: string }[]>`
    select count(*) as sets from users join workouts on user_id = users.id
    join workout_exercises on workout_id = workouts.id join exercises on exercises.id = exercise_id
    join workout_sets on workout_exercise_id = workout_exercises.id and workout_sets.mode = workout_exercises.mode
    left join plans on plans.id = plan_id left join routines on routines.id = routine_id
    where users.id = any (${ids}::uuid[]) and (plan_id is null) = (plans.id is null)
      and (routine_id is null) = (routines.id is null)`;
  if (Number(found?.sets) !== sets)
    throw new Error(`Of ${sets} sets that were written, ${found?.sets} are whole`);
  await sql`set local session_replication_role = origin`;
}
