import { randomBytes } from "node:crypto";
import { insertLogin } from "#src/access/access.queries.ts";
import type { RoleSlug } from "#src/actor.ts";
import { insertUser, type PublicUser } from "#src/users/users.queries.ts";
import type { Api } from "./harness.ts";

export const PASSWORD = "correct horse battery staple";
let passwordHash: Promise<string> | undefined;
let counter = 0;

/** Stored with cheap parameters and only once, so that making a user costs no hashing. */
const hashOnce = (api: Api) => {
  passwordHash ??= api.deps.passwords.hash(PASSWORD);
  return passwordHash;
};

/** An account whose password is PASSWORD. */
export async function makeUser(
  api: Api,
  user: { email?: string; name?: string | null; roleSlug?: RoleSlug; isActive?: boolean } = {},
): Promise<PublicUser> {
  const made = await insertUser(api.deps.db, {
    email: user.email ?? `person-${process.pid}-${++counter}@example.com`,
    name: user.name ?? null,
    passwordHash: await hashOnce(api),
    roleSlug: user.roleSlug ?? "application-access",
  });
  if (user.isActive === false) await api.deps.db.sql`update users set is_active = false where id = ${made.id}`;
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
