import { randomBytes } from "node:crypto";
import { insertLogin } from "#src/access/access.queries.ts";
import { makeInvitation, makeSignedIn, makeUser, PASSWORD } from "./fixtures.ts";
import { type Api, expectStatus } from "./harness.ts";
import { ACCESS, API, CLIENTS, GRANTS, LINKS, PLANS, ROUTINES, TRAINERS, USERS } from "./paths.ts";

/** A request, and a check that its work was done. */
export type CheckedRequest = {
  method: string;
  path: string;
  as: string;
  body?: unknown;
  isDone(): Promise<boolean>;
};

/** `as` is the cookie of a superuser. */
type Context = { api: Api; as: string };

const proof = { currentPassword: PASSWORD };

/** A request on new accounts for each operation that is finished even if its client hangs up. */
export const DETACHED_REQUESTS: Record<string, (context: Context) => Promise<CheckedRequest>> = {
  RefreshAccessToken: async ({ api }) => {
    const { id } = await makeUser(api);
    const loginId = await makeLogin(api, id);
    const issuedAtS = Math.floor(Date.now() / 1000);
    const claims = { userId: id, loginId, tokenId: "used before", issuedAtS };
    const as = `refresh_token=${await api.deps.tokens.sign("refresh", claims)}`;
    const isDone = async () =>
      (await isRevoked(api, loginId)) && (await isRecorded(api, "access.refresh_reused", id));
    return { method: "POST", path: `${ACCESS}/refresh-jwt`, as, isDone };
  },
  AccountLogin: async ({ api }) => {
    const { id, email } = await makeUser(api);
    const body = { username: email, password: "a wrong guess" };
    const isDone = () => isRecorded(api, "access.sign_in_failed", id);
    return { method: "POST", path: `${ACCESS}/signin`, as: "", body, isDone };
  },
  AccountLogout: async ({ api }) => {
    const { user, as } = await makeSignedIn(api);
    const isDone = async () =>
      (await isSignedOut(api, user.id)) && (await isRecorded(api, "access.logged_out", user.id));
    return { method: "POST", path: `${ACCESS}/logout`, as, isDone };
  },
  AccountUpdatePwd: async ({ api }) => {
    const { user, as } = await makeSignedIn(api);
    const body = { ...proof, newPassword: "another battery, another staple" };
    const isDone = async () =>
      (await isSignedOut(api, user.id)) &&
      (await isRecorded(api, "access.password_changed", user.id));
    return { method: "PATCH", path: `${ACCESS}/password-update`, as, body, isDone };
  },
  RevokeLogin: async ({ api }) => {
    const { user, as } = await makeSignedIn(api);
    const loginId = await makeLogin(api, user.id);
    const isDone = () => isRevoked(api, loginId);
    return { method: "DELETE", path: `${ACCESS}/logins/${loginId}`, as, body: proof, isDone };
  },
  RevokeOtherLogins: async ({ api }) => {
    const { user, as } = await makeSignedIn(api);
    const loginId = await makeLogin(api, user.id);
    const isDone = () => isRevoked(api, loginId);
    return { method: "DELETE", path: `${ACCESS}/logins`, as, body: proof, isDone };
  },
  UpdateUser: async ({ api, as }) => {
    const { user } = await makeSignedIn(api);
    const isDone = () => isSignedOut(api, user.id);
    return { method: "PATCH", path: `${USERS}/${user.id}`, as, body: { isActive: false }, isDone };
  },
  DeleteUser: async ({ api, as }) => {
    const { id } = await makeUser(api);
    const isDone = async () => !(await exists(api, "users", id));
    return { method: "DELETE", path: `${USERS}/${id}`, as, isDone };
  },
  AssignRole: async ({ api, as }) => {
    const { id, email } = await makeUser(api);
    const body = { roleSlug: "fitness-trainer" };
    const isDone = () => isRecorded(api, "users.role_assigned", id);
    return { method: "PATCH", path: `${API}/roles/${email}/assign`, as, body, isDone };
  },
  RevokeRole: async ({ api, as }) => {
    const { id, email } = await makeUser(api, { roleSlug: "fitness-trainer" });
    const body = { roleSlug: "fitness-trainer" };
    const isDone = () => isRecorded(api, "users.role_revoked", id);
    return { method: "PATCH", path: `${API}/roles/${email}/revoke`, as, body, isDone };
  },
  EndClient: async ({ api }) => {
    const { trainer, invitation } = await makeInvitation(api);
    const isDone = () => exists(api, "clients", invitation.id, "ended_at is not null");
    return { method: "DELETE", path: `${CLIENTS}/${invitation.id}`, as: trainer.as, isDone };
  },
  EndTrainer: async ({ api }) => {
    const { client, invitation } = await makeInvitation(api);
    const isDone = () => exists(api, "clients", invitation.id, "ended_at is not null");
    return { method: "DELETE", path: `${TRAINERS}/${invitation.id}`, as: client.as, isDone };
  },
  ChangeTrainerScopes: async ({ api }) => {
    const { client, invitation, accept } = await makeInvitation(api);
    expectStatus(await accept(), 200);
    const body = { scopes: ["read_history"] };
    const isDone = () => exists(api, "clients", invitation.id, "not can_write_plans");
    return { method: "PATCH", path: `${TRAINERS}/${invitation.id}`, as: client.as, body, isDone };
  },
  UpdateGrant: async ({ api }) => {
    const { as, grantId } = await makeShared(api);
    const isDone = () => exists(api, "grants", grantId, "access = 'read'");
    return { method: "PATCH", path: `${GRANTS}/${grantId}`, as, body: { access: "read" }, isDone };
  },
  DeleteGrant: async ({ api }) => {
    const { as, grantId } = await makeShared(api);
    const isDone = async () => !(await exists(api, "grants", grantId));
    return { method: "DELETE", path: `${GRANTS}/${grantId}`, as, isDone };
  },
  DeleteLink: async ({ api }) => {
    const { as, routineId } = await makeShared(api);
    const { id } = (await api.post(LINKS, { as, body: { routineId } })).json;
    const isDone = async () => !(await exists(api, "links", id));
    return { method: "DELETE", path: `${LINKS}/${id}`, as, isDone };
  },
  UpdateRoutine: async ({ api }) => {
    const { as, routineId } = await makeShared(api);
    const body = { sharing: "private" };
    const isDone = () => exists(api, "routines", routineId, "sharing = 'private'");
    return { method: "PATCH", path: `${ROUTINES}/${routineId}`, as, body, isDone };
  },
  UpdatePlan: async ({ api }) => {
    const { as } = await makeSignedIn(api);
    const plan = { name: "Strength", routines: [], sharing: "public" };
    const { id } = (await api.post(PLANS, { as, body: plan })).json;
    const isDone = () => exists(api, "plans", id, "sharing = 'private'");
    return { method: "PATCH", path: `${PLANS}/${id}`, as, body: { sharing: "private" }, isDone };
  },
};

/** A routine with a grant that lets another user write it. */
async function makeShared(api: Api): Promise<{ as: string; routineId: string; grantId: string }> {
  const [{ as }, friend] = [await makeSignedIn(api), await makeUser(api)];
  const routine = await api.post(ROUTINES, { as, body: { name: "Legs", exercises: [] } });
  const body = { routineId: routine.json.id, email: friend.email, access: "write" };
  const grant = await api.post(GRANTS, { as, body });
  expectStatus(grant, 201);
  return { as, routineId: routine.json.id, grantId: grant.json.id };
}

async function makeLogin(api: Api, userId: string): Promise<string> {
  const id = Bun.randomUUIDv7();
  await insertLogin(api.deps.db, {
    id,
    userId,
    refreshHash: randomBytes(32),
    startedAt: new Date(),
    expiresAt: new Date(Date.now() + 86_400_000),
    userAgent: null,
    address: null,
  });
  return id;
}

async function exists({ deps: { db } }: Api, table: string, id: string, condition = "true") {
  const rows = await db.sql`
    select from ${db.sql(table)} where id = ${id} and ${db.sql.unsafe(condition)}`;
  return rows.length > 0;
}

const isRevoked = (api: Api, loginId: string) =>
  exists(api, "logins", loginId, "revoked_at is not null");

async function isSignedOut({ deps: { db } }: Api, userId: string) {
  const live = await db.sql`select from logins where user_id = ${userId} and revoked_at is null`;
  return live.length === 0;
}

async function isRecorded({ deps: { db } }: Api, event: string, userId: string) {
  const rows = await db.sql`
    select from audit_events where event = ${event} and target_user_id = ${userId}`;
  return rows.length > 0;
}
