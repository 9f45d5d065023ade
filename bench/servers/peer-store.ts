// What the peers have in common, so that they differ by framework and runtime only: who is asking,
// and the page of exercises, by the usual libraries (jose, postgres) and in the usual way: the
// signature is verified and the login is looked up for every request, the page is put together from
// flat prepared statements, and nothing is remembered.
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import postgres from "postgres";

/** What a peer is started with, as JSON in its first argument. */
export type PeerSettings = {
  unix: string;
  databaseSocket: string;
  /** The public keys of the tokens. */
  jwks: JSONWebKeySet;
  /** Of the bare server: what else `/ping` answers with, and whether it is a static route. */
  pingHeaders?: Record<string, string>;
  isPingStatic?: boolean;
};

export const readSettings = () => JSON.parse(process.argv[2] ?? "{}") as PeerSettings;

/** Connections: as many as the application has. */
const POOL_SIZE = 8;

export function openStore({ databaseSocket, jwks }: PeerSettings) {
  const sql = postgres({
    path: databaseSocket,
    user: "irontrack",
    database: "irontrack",
    max: POOL_SIZE,
  });
  const keys = createLocalJWKSet(jwks);

  /**
   * The user of the access cookie; undefined without one that is valid, of a login that is live.
   */
  async function whoAsks(cookies: string | null | undefined) {
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

  /**
   * The first 20 exercises of the catalog by name, which is the order of an index, and how many it
   * has.
   */
  async function listExercises() {
    const [exercises, [counted]] = await Promise.all([
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
    const of = (links: Link[], exerciseId: string) =>
      links.filter((link) => link.exerciseId === exerciseId).map(({ id, name }) => ({ id, name }));
    const items = exercises.map((exercise) => ({
      ...exercise,
      primaryMuscles: of(primary, exercise.id),
      secondaryMuscles: of(secondary, exercise.id),
      equipment: of(equipment, exercise.id),
      tags: of(tags, exercise.id),
    }));
    return { items, limit: 20, offset: 0, total: counted?.total as number };
  }

  return { whoAsks, listExercises };
}

export const NOT_SIGNED_IN = { code: "access.not_authenticated" };
