// What all peers share, so that they differ only in framework and runtime: authentication and the
// exercise page, with common libraries (jose, postgres) used in the common way. Every request
// verifies the token's signature and looks up the login; the page is assembled from flat prepared
// statements; nothing is cached.
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import postgres from "postgres";

/** A peer's settings, as JSON in its first argument. */
export type PeerSettings = {
  unix: string;
  databaseSocket: string;
  /** The public keys of the tokens. */
  jwks: JSONWebKeySet;
  /** For the bare server only: more headers of `/ping`, and whether it is a static route. */
  pingHeaders?: Record<string, string>;
  isPingStatic?: boolean;
};

export const readSettings = () => JSON.parse(process.argv[2] ?? "{}") as PeerSettings;

/** As many connections as the application has. */
const POOL_SIZE = 8;

export function openStore({ databaseSocket, jwks }: PeerSettings) {
  const sql = postgres({
    path: databaseSocket,
    user: "irontrack",
    database: "irontrack",
    max: POOL_SIZE,
  });
  const keys = createLocalJWKSet(jwks);

  /** The user of the access cookie; undefined unless the token is valid and its login is active. */
  async function authenticate(cookies: string | null | undefined) {
    const token = /(?:^|;\s*)access_token=([^;]+)/.exec(cookies ?? "")?.[1];
    if (token === undefined) return undefined;
    const options = {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer: "irontrack",
      audience: "irontrack",
    };
    const verified = await jwtVerify(token, keys, options).catch(() => undefined);
    if (verified === undefined) return undefined;
    const { sub, sid } = verified.payload as { sub: string; sid: string };
    const [user] = await sql`
      select users.id, users.name, email, is_active as "isActive", roles.slug = 'superuser' as "isSuperuser",
        roles.slug as "roleSlug"
      from logins join users on users.id = logins.user_id join roles on roles.id = users.role_id
      where logins.id = ${sid} and users.id = ${sub} and is_active and revoked_at is null and expires_at > now()`;
    return user as { id: string } | undefined;
  }

  type Link = { exerciseId: string; id: number; name: string };
  const linked = (ids: string[], links: string, column: string, catalog: string) => sql<Link[]>`
    select link.exercise_id as "exerciseId", entry.id, entry.name from ${sql(links)} as link
    join ${sql(catalog)} as entry on entry.id = link.${sql(column)}
    where link.exercise_id = any (${ids}) order by entry.id`;

  /** The first 20 exercises of the catalog by name, in the order of an index, and the total. */
  async function listExercises() {
    const [exercises, [count]] = await Promise.all([
      sql`
        select id, name, force, difficulty as "difficultyLevel", mechanic, category, instructions,
          image_path_start as "imagePathStart", image_path_end as "imagePathEnd", slug,
          owner_id is null as "isSystemDefault", owner_id as "createdBy",
          to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
          to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "updatedAt", version
        from exercises where owner_id is null order by lower(name), id limit 20`,
      sql`select count as total from exercise_counts where owner_id is null`,
    ]);
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
    }));
    return { items, limit: 20, offset: 0, total: count?.total as number };
  }

  return { authenticate, listExercises };
}

export const NOT_SIGNED_IN = { code: "access.not_authenticated" };
