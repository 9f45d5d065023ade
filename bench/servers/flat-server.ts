// A competitor of the exercise page: five flat prepared statements a page, assembled in JavaScript,
// on a bare Bun.serve, without accounts and totals. Arguments: the socket's path and the database's
// URL.
import { openPool } from "#db/client.ts";

const [, , unix = "", databaseUrl = ""] = process.argv;
const { sql } = openPool(databaseUrl, { size: 8, prepare: true });

type Link = { exerciseId: string; id: number; name: string };

const linked = (ids: string[], links: string, column: string, catalog: string) => sql<Link[]>`
  select link.exercise_id as "exerciseId", entry.id, entry.name from ${sql(links)} as link
  join ${sql(catalog)} as entry on entry.id = link.${sql(column)} where link.exercise_id = any (${ids})`;

async function page(): Promise<Response> {
  const exercises = await sql`
    select id, name, force, difficulty as "difficultyLevel", mechanic, category, instructions,
      image_path_start as "imagePathStart", image_path_end as "imagePathEnd", slug, owner_id as "createdBy",
      created_at as "createdAt", updated_at as "updatedAt", version
    from exercises where owner_id is null order by lower(name), id limit 20`;
  const ids = exercises.map(({ id }) => id as string);
  const [primary, secondary, equipment, tags] = await Promise.all([
    linked(ids, "exercise_primary_muscles", "muscle_group_id", "muscle_groups"),
    linked(ids, "exercise_secondary_muscles", "muscle_group_id", "muscle_groups"),
    linked(ids, "exercise_equipment", "equipment_id", "equipment"),
    linked(ids, "exercise_tag_links", "exercise_tag_id", "exercise_tags"),
  ]);
  const entriesOf = (links: Link[], exerciseId: string) =>
    links.filter((link) => link.exerciseId === exerciseId).map(({ id, name }) => ({ id, name }));
  const items = exercises.map((exercise) => ({
    ...exercise,
    primaryMuscles: entriesOf(primary, exercise.id),
    secondaryMuscles: entriesOf(secondary, exercise.id),
    equipment: entriesOf(equipment, exercise.id),
    tags: entriesOf(tags, exercise.id),
    isSystemDefault: true,
  }));
  return Response.json({ items, limit: 20, offset: 0 });
}

Bun.serve({ unix, development: false, routes: { "/ping": () => new Response("OK") }, fetch: page });
process.on("SIGTERM", () => process.exit(0));
