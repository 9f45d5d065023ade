import type { Db } from "#db/client.ts";

const PER_PERSON = 100;

/**
 * Invents `count` exercises of people who own a hundred each, copied from the catalog: names,
 * documents and ids as long and as varied as real ones. Returns one of the owners. For benches and
 * tests of plans, on a database of their own.
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
