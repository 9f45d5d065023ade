import type { Db } from "#db/client.ts";
import type { IndexedExercise } from "../exercises/similar-names.rules.ts";
import { nameVariants, normalizeName } from "./exercise-names.rules.ts";

/** The exercise that a name of a file means. */
export type ExerciseMatch = {
  name: string;
  exerciseId: string;
  exerciseName: string;
  by: "chosen" | "name" | "alias";
};

/**
 * The exercises of the catalog or of `userId`'s own that `names` mean, in no order: the user's
 * choice, else one of that name, else one of that alias; their own before the catalog's. Names
 * without a match are left out. The exercises cannot be deleted until the transaction ends. One
 * statement.
 */
export async function listMatches(
  { sql }: Db,
  userId: string,
  names: string[],
): Promise<ExerciseMatch[]> {
  const variants = names.flatMap((name) =>
    nameVariants(name).map((form, rank) => ({ name, form, rank })),
  );
  return sql`
    with input as (
      select * from json_to_recordset(${JSON.stringify(variants)}::text::json)
        as entry (name text, form text, rank int)
    ), named as (
      select id, exercises.name, owner_id, form
      from exercises, string_to_table(search_text, E'\n') as form
      where (owner_id is null or owner_id = ${userId}) and form in (select form from input)
    ), candidates as (
      select input.name, exercises.id, exercises.name as exercise_name, 'chosen' as by, -1 as rank,
        false as is_system
      from input
      join import_names on import_names.form = input.form and input.rank = 0
      join exercises on exercises.id = exercise_id and (owner_id is null or owner_id = ${userId})
      where import_names.user_id = ${userId}
      union all
      select input.name, id, named.name,
        case when search_form(named.name) = named.form then 'name' else 'alias' end, input.rank,
        owner_id is null
      from input join named using (form)
    ), matched as (
      select distinct on (name) name, id, exercise_name, by from candidates
      order by name, rank, by = 'alias', is_system, exercise_name
    ), locked as materialized (
      select id from exercises where id in (select id from matched) order by id for key share
    )
    select name, id as "exerciseId", exercise_name as "exerciseName", by
    from matched join locked using (id)`;
}

/** The names and aliases of the catalog's exercises, in no order. */
export const listCatalogNames = ({ sql }: Db): Promise<IndexedExercise[]> => sql`
  select id, name, search_text as "searchText" from exercises where owner_id is null`;

/** The names and aliases of `userId`'s own exercises, in no order. */
export const listOwnNames = ({ sql }: Db, userId: string): Promise<IndexedExercise[]> => sql`
  select id, name, search_text as "searchText" from exercises where owner_id = ${userId}`;

/** The names for which `userId` has chosen exercises, by name, as a JSON array. */
export async function listChoicesJson({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select coalesce(json_agg(json_build_object('name', import_names.name,
      'exerciseId', exercises.id, 'exerciseName', exercises.name) order by form), '[]')::text
      as json
    from import_names join exercises on exercises.id = exercise_id
    where user_id = ${userId}`;
  return row?.json ?? "[]";
}

/**
 * Stores which exercises names mean, and deletes the choices for names without one. Returns the ids
 * of exercises that `userId` does not have; if there are any, nothing was written. One statement.
 */
export async function saveChoices(
  { sql }: Db,
  userId: string,
  choices: { name: string; exerciseId: string | null }[],
): Promise<string[]> {
  const choiceByForm = new Map(
    choices.map(({ name, exerciseId }) => [normalizeName(name), { name, exercise_id: exerciseId }]),
  );
  const rows = [...choiceByForm].map(([form, choice]) => ({ form, ...choice }));
  const [row] = await sql<{ missing: string[] }[]>`
    with input as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json)
        as entry (form text, name text, exercise_id uuid)
    ), missing as (
      select distinct exercise_id from input
      where exercise_id is not null and not exists (
        select from exercises
        where exercises.id = exercise_id and (owner_id is null or owner_id = ${userId})
      )
    ), deleted as (
      delete from import_names
      where user_id = ${userId} and not exists (select from missing)
        and form in (select form from input where exercise_id is null)
    ), saved as (
      insert into import_names (user_id, form, name, exercise_id)
      select ${userId}::uuid, form, name, exercise_id from input
      where exercise_id is not null and not exists (select from missing)
      on conflict on constraint import_names_pkey
      do update set name = excluded.name, exercise_id = excluded.exercise_id
    )
    select array(select exercise_id::text from missing) as missing`;
  return row?.missing ?? [];
}
