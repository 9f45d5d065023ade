import type { Db } from "#db/client.ts";

const PER_PERSON = 100;

/**
 * Inserts `count` exercises owned by invented users, a hundred each, copied from the catalog so
 * that names, documents and ids are as long and varied as real ones. Returns the id of one owner.
 * For tests and benches of query plans, on their own database.
 */
export async function inventExercises({ sql }: Db, count: number): Promise<string> {
  const people = Math.ceil(count / PER_PERSON);
  const [owner] = await sql<{ id: string }[]>`
    with invented as (
      insert into users (email, password_hash, role_id)
      select 'invented-' || gen_random_uuid() || '@example.com', 'none', (select min(id) from roles)
      from generate_series(1, ${people}) returning id
    ), numbered as (select id as owner_id, row_number() over () as person from invented),
    templates as (
      select row_number() over (order by id) as place, count(*) over () as places, exercises.* from exercises
      where owner_id is null
    ), made as (
      insert into exercises (owner_id, name, category, difficulty, force, mechanic, instructions, primary_muscle_ids,
        secondary_muscle_ids, equipment_ids, document)
      select numbered.owner_id, left(name, 90) || ' ' || nth, category, difficulty, force, mechanic, instructions,
        primary_muscle_ids, secondary_muscle_ids, equipment_ids, document
      from numbered cross join generate_series(1, ${PER_PERSON}) as nth
      join templates on place = 1 + (person * 37 + nth) % places
    )
    select owner_id as id from numbered order by person limit 1`;
  await sql`analyze`;
  return (owner as { id: string }).id;
}
