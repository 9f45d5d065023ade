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
/** Makes addresses unique: test files share a database, and each evaluates this module. */
const FILE = crypto.randomUUID().slice(0, 8);
let counter = 0;

/** Hashes PASSWORD once per cost, so that making a user is fast. */
const hashOnce = (api: Api) => {
  const memoryKib = api.deps.config.PASSWORD_MEMORY_KIB;
  const hash = passwordHashes.get(memoryKib) ?? api.deps.passwords.hash(PASSWORD);
  passwordHashes.set(memoryKib, hash);
  return hash;
};

/** Creates an account with the password PASSWORD. */
export async function makeUser(
  api: Api,
  user: { email?: string; name?: string | null; roleSlug?: RoleSlug; isActive?: boolean } = {},
): Promise<PublicUser> {
  const inserted = await insertUser(api.deps.db, {
    email: user.email ?? `person-${FILE}-${++counter}@example.com`,
    name: user.name ?? null,
    passwordHash: await hashOnce(api),
    roleSlug: user.roleSlug ?? "application-access",
  });
  if (user.isActive === false)
    await api.deps.db.sql`update users set is_active = false where id = ${inserted.id}`;
  return inserted;
}

/** Signs the user in without a request, and returns the cookie header. */
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

/** Creates an account and returns it with its cookie header. */
export async function makeSignedIn(api: Api, user: Parameters<typeof makeUser>[1] = {}) {
  const account = await makeUser(api, user);
  return { user: account, as: await signedIn(api, account) };
}

/** A test of the application with a signed-in superuser. */
export const withSuperuser = (
  work: (api: Api, superuser: Awaited<ReturnType<typeof makeSignedIn>>) => Promise<void>,
) => withApi(async (api) => work(api, await makeSignedIn(api, { roleSlug: "superuser" })));

/** Creates a trainer and a client, and invites the client. */
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

/** Links of an exercise: the field of `NewExercise`, table, column, and the table of the names. */
const LINKS = [
  ["primary", "exercise_primary_muscles", "muscle_group_id", "muscle_groups"],
  ["secondary", "exercise_secondary_muscles", "muscle_group_id", "muscle_groups"],
  ["equipment", "exercise_equipment", "equipment_id", "equipment"],
  ["tags", "exercise_tag_links", "exercise_tag_id", "exercise_tags"],
] as const;

type NewExercise = Partial<Record<(typeof LINKS)[number][0], string[]>> & {
  name: string;
  /** Undefined for an exercise of the system catalog. */
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

/** Creates an exercise with links to catalog entries by name, and returns its id. */
export async function makeExercise(
  { deps: { db, invalidations } }: Api,
  exercise: NewExercise,
): Promise<string> {
  const { sql } = db;
  const createdAt = exercise.createdAt ?? "2026-01-01T00:00:00Z";
  const row = {
    id: exercise.id ?? Bun.randomUUIDv7(),
    owner_id: exercise.owner?.id ?? null,
    name: exercise.name,
    slug: exercise.owner ? null : slugOf(exercise.name),
    category: exercise.category ?? "strength",
    difficulty: exercise.difficulty ?? "beginner",
    force: exercise.force ?? null,
    mechanic: exercise.mechanic ?? null,
    instructions: exercise.instructions ?? null,
    image_path_start: exercise.imagePathStart ?? null,
    image_path_end: exercise.imagePathEnd ?? null,
    created_at: createdAt,
    updated_at: exercise.updatedAt ?? createdAt,
  };
  await sql`insert into exercises ${sql(row)}`;
  await sql`
    update exercises set aliases = ${exercise.aliases ?? []} where id = ${row.id}`;
  for (const [field, table, column, catalog] of LINKS) {
    const names = exercise[field] ?? (field === "primary" ? ["chest"] : []);
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

/** Signs in with a request and returns the two cookies. Throws if it is refused. */
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

/** The cookies that a response sets, each as a Cookie header. */
export function cookiesOf(headers: Headers): { access: string; refresh: string } {
  const [access = "", refresh = ""] = headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "");
  return { access, refresh };
}
