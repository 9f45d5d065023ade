import { randomBytes } from "node:crypto";
import { insertLogin } from "#src/access/access.queries.ts";
import { insertUser, type PublicUser } from "#src/access/accounts.queries.ts";
import { sendInvalidation } from "#src/cache/invalidations.ts";
import { renderDocuments } from "#src/exercises/exercises.queries.ts";
import { slugOf } from "#src/exercises/slug.rules.ts";
import type { RoleSlug } from "#src/permissions/actor.ts";
import { type Api, withApi } from "./harness.ts";

export const PASSWORD = "correct horse battery staple";
/** A valid id that no row has. */
export const ABSENT = "01a209f2-f7f5-7524-94bc-8035f4f8979b";
const passwordHashes = new Map<number, Promise<string>>();
/** Test files share a process and a database, and each evaluates this module again. */
const FILE = crypto.randomUUID().slice(0, 8);
let counter = 0;

/** Made once for each cost, so that making a user costs no hashing. */
const hashOnce = (api: Api) => {
  const memoryKib = api.deps.config.PASSWORD_MEMORY_KIB;
  const known = passwordHashes.get(memoryKib) ?? api.deps.passwords.hash(PASSWORD);
  passwordHashes.set(memoryKib, known);
  return known;
};

/** An account whose password is PASSWORD. */
export async function makeUser(
  api: Api,
  user: { email?: string; name?: string | null; roleSlug?: RoleSlug; isActive?: boolean } = {},
): Promise<PublicUser> {
  const made = await insertUser(api.deps.db, {
    email: user.email ?? `person-${FILE}-${++counter}@example.com`,
    name: user.name ?? null,
    passwordHash: await hashOnce(api),
    roleSlug: user.roleSlug ?? "application-access",
  });
  if (user.isActive === false)
    await api.deps.db.sql`update users set is_active = false where id = ${made.id}`;
  return made;
}

/** The cookie header of a new login of that user. */
export async function signedIn(api: Api, user: { id: string }): Promise<string> {
  const loginId = Bun.randomUUIDv7();
  const claims = { userId: user.id, loginId, issuedAtS: Math.floor(api.deps.nowMs() / 1000) };
  const tokenId = () => randomBytes(24).toString("base64url");
  const accessToken = await api.deps.tokens.sign("access", { ...claims, tokenId: tokenId() });
  await insertLogin(api.deps.db, {
    id: loginId,
    userId: user.id,
    refreshHash: randomBytes(32),
    startedAt: new Date(api.deps.nowMs()),
    expiresAt: new Date(api.deps.nowMs() + 86_400_000),
    userAgent: null,
    address: null,
  });
  return `access_token=${accessToken}`;
}

/** A new account and its cookie header. */
export async function makeSignedIn(api: Api, user: Parameters<typeof makeUser>[1] = {}) {
  const made = await makeUser(api, user);
  return { user: made, as: await signedIn(api, made) };
}

/** A test on a new application, with a signed-in superuser. */
export const withSuperuser = (
  work: (api: Api, superuser: Awaited<ReturnType<typeof makeSignedIn>>) => Promise<void>,
) => withApi(async (api) => work(api, await makeSignedIn(api, { roleSlug: "superuser" })));

/** A new trainer and a new account that they invited. */
export async function makeInvitation(api: Api, scopes: string[] = ["read_history", "write_plans"]) {
  const trainer = await makeSignedIn(api, { name: "Toni", roleSlug: "fitness-trainer" });
  const client = await makeSignedIn(api, { name: "Chris" });
  const invited = await api.post("/api/v1/clients", {
    as: trainer.as,
    body: { email: client.user.email, scopes },
  });
  if (invited.status !== 201) throw new Error(`Inviting failed: ${invited.text}`);
  const accept = (body = {}) =>
    api.post(`/api/v1/trainers/${invited.json.id}/accept`, { as: client.as, body });
  return { trainer, client, invitation: invited.json, accept };
}

/**
 * Links of an exercise: field of `NewExercise`, table, column, and the catalog whose names are
 * given.
 */
const LINKS = [
  ["primary", "exercise_primary_muscles", "muscle_group_id", "muscle_groups"],
  ["secondary", "exercise_secondary_muscles", "muscle_group_id", "muscle_groups"],
  ["equipment", "exercise_equipment", "equipment_id", "equipment"],
  ["tags", "exercise_tag_links", "exercise_tag_id", "exercise_tags"],
] as const;

type NewExercise = Partial<Record<(typeof LINKS)[number][0], string[]>> & {
  name: string;
  /** Absent for an exercise of the system catalog. */
  owner?: { id: string };
  id?: string;
  aliases?: string[];
  category?: string;
  difficulty?: string;
  force?: string;
  mechanic?: string;
  instructions?: string;
  imagePathStart?: string;
  imagePathEnd?: string;
  createdAt?: string;
  updatedAt?: string;
};

/** An exercise with links to catalog entries of the given names; its id. */
export async function makeExercise(
  { deps: { db, invalidations } }: Api,
  given: NewExercise,
): Promise<string> {
  const { sql } = db;
  const createdAt = given.createdAt ?? "2026-01-01T00:00:00Z";
  const row = {
    id: given.id ?? Bun.randomUUIDv7(),
    owner_id: given.owner?.id ?? null,
    name: given.name,
    slug: given.owner ? null : slugOf(given.name),
    category: given.category ?? "strength",
    difficulty: given.difficulty ?? "beginner",
    force: given.force ?? null,
    mechanic: given.mechanic ?? null,
    instructions: given.instructions ?? null,
    image_path_start: given.imagePathStart ?? null,
    image_path_end: given.imagePathEnd ?? null,
    created_at: createdAt,
    updated_at: given.updatedAt ?? createdAt,
  };
  await sql`insert into exercises ${sql(row)}`;
  await sql`
    update exercises set aliases = ${given.aliases ?? []} where id = ${row.id}`;
  for (const [field, table, column, catalog] of LINKS) {
    const names = given[field] ?? (field === "primary" ? ["chest"] : []);
    await sql`
      insert into ${sql(table)} (exercise_id, ${sql(column)})
      select ${row.id}::uuid, id from ${sql(catalog)} where name = any (${names})`;
  }
  await renderDocuments(db, [row.id]);
  await invalidations.publish({ catalog: true }, (invalidationMessage) =>
    sendInvalidation(db, invalidationMessage),
  );
  return row.id;
}

/** Signs in through HTTP and gives the two cookies, by name; throws when it is refused. */
export async function signInFor(
  api: Api,
  email: string,
  requestOptions: { as?: string } = {},
): Promise<{ access: string; refresh: string }> {
  const answer = await api.post("/api/v1/access/signin", {
    ...requestOptions,
    body: { username: email, password: PASSWORD },
  });
  if (answer.status !== 204) throw new Error(`Signing in failed: ${answer.text}`);
  return cookiesOf(answer.headers);
}

/** The cookies that an answer sets, each as a Cookie header of its own. */
export function cookiesOf(headers: Headers): { access: string; refresh: string } {
  const [access = "", refresh = ""] = headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "");
  return { access, refresh };
}
