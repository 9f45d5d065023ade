import type { Db } from "#db/client.ts";
import { postgresError } from "#lib/causes.ts";
import { OperatorError } from "#lib/errors.ts";
import type { Athlete } from "./athletes.ts";
import type { KnownExercise } from "./training.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Disables triggers for the rest of this transaction, because checking foreign keys per row is half
 * of the work. Locks the referenced exercises, as those checks would. `replaceTriggers` must follow.
 * Throws OperatorError unless the database user is a superuser.
 */
export async function disableTriggers(
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
 * Does in bulk what triggers would have done per row: records the workouts in the change feeds of
 * their new users, which no other transaction can see yet, and checks the foreign keys of all rows.
 */
export async function replaceTriggers(
  { sql }: Db,
  athletes: Athlete[],
  sets: number,
): Promise<void> {
  const ids = athletes.map(({ id }) => Buffer.from(id).toString("hex"));
  await sql`
    insert into changes (user_id, kind, entity_id, place, version)
    select user_id, 'workout', id, nextval('changes_place'), version from (
      select user_id, id, version from workouts where user_id = any (${ids}::uuid[]) order by id
    ) as written`;
  const [valid] = await sql<{ sets: string }[]>`
    select count(*) as sets from users join workouts on user_id = users.id
    join workout_exercises on workout_id = workouts.id join exercises on exercises.id = exercise_id
    join workout_sets on workout_exercise_id = workout_exercises.id and workout_sets.mode = workout_exercises.mode
    left join plans on plans.id = plan_id left join routines on routines.id = routine_id
    where users.id = any (${ids}::uuid[]) and (plan_id is null) = (plans.id is null)
      and (routine_id is null) = (routines.id is null)`;
  if (Number(valid?.sets) !== sets)
    throw new Error(`Of ${sets} sets that were written, ${valid?.sets} have valid references`);
  await sql`set local session_replication_role = origin`;
}
