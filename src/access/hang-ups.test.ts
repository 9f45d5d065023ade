import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "#test/config.ts";
import { makeInvitation, makeSignedIn, makeUser, PASSWORD } from "#test/fixtures.ts";
import { type Api, apiOn, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { ACCESS } from "#test/paths.ts";
import { openProcesses, type Processes } from "#test/processes.ts";
import { listOperations } from "../app/app.ts";
import { operatorSocketPath } from "../app/operator-socket.ts";
import { insertLogin } from "./access.queries.ts";
import { createTokens } from "./tokens.ts";

/** How many clients of each operation hang up, and the latest moment at which one does. */
const ROUNDS = 8;
const MAX_STAY_MS = 8;

const dir = mkdtempSync(join(tmpdir(), "irontrack-hang-ups-"));
const unix = join(dir, "app.sock");
let database: OwnDatabase;
let processes: Processes;
let api: Api;
let root: { as: string };

beforeAll(async () => {
  database = await makeOwnDatabase();
  processes = await openProcesses(dir, database.url);
  await processes.start("app", { PASSWORD_MEMORY_KIB: "19456", PASSWORD_PASSES: "2" });
  api = await apiOn(database.pool, {
    deps: { tokens: createTokens(testConfig(), processes.keys) },
  });
  root = await makeSignedIn(api, { roleSlug: "superuser" });
});
afterAll(async () => {
  processes.stop();
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

/** A request, and a check that its work was done. */
type Deed = {
  method: string;
  path: string;
  as: string;
  body?: unknown;
  isDone(): Promise<boolean>;
};

const proof = { currentPassword: PASSWORD };

/** A request for each operation, each time on new accounts. */
const DEEDS: Record<string, () => Promise<Deed>> = {
  RefreshAccessToken: async () => {
    const { id } = await makeUser(api);
    const loginId = await makeLogin(id);
    const claims = {
      userId: id,
      loginId,
      tokenId: "used before",
      issuedAtS: Math.floor(Date.now() / 1000),
    };
    const as = `refresh_token=${await api.deps.tokens.sign("refresh", claims)}`;
    const isDone = async () =>
      (await isEnded(loginId)) && (await isRecorded("access.refresh_reused", id));
    return { method: "POST", path: `${ACCESS}/refresh-jwt`, as, isDone };
  },
  AccountLogin: async () => {
    const { id, email } = await makeUser(api);
    const body = { username: email, password: "a wrong guess" };
    const isDone = async () => isRecorded("access.sign_in_failed", id);
    return { method: "POST", path: `${ACCESS}/signin`, as: "", body, isDone };
  },
  AccountLogout: async () => {
    const { user, as } = await makeSignedIn(api);
    const isDone = async () =>
      (await isSignedOut(user.id)) && (await isRecorded("access.logged_out", user.id));
    return { method: "POST", path: `${ACCESS}/logout`, as, isDone };
  },
  AccountUpdatePwd: async () => {
    const { user, as } = await makeSignedIn(api);
    const body = { ...proof, newPassword: "another battery, another staple" };
    const isDone = async () =>
      (await isSignedOut(user.id)) && (await isRecorded("access.password_changed", user.id));
    return { method: "PATCH", path: `${ACCESS}/password-update`, as, body, isDone };
  },
  RevokeLogin: async () => {
    const { user, as } = await makeSignedIn(api);
    const other = await makeLogin(user.id);
    return {
      method: "DELETE",
      path: `${ACCESS}/logins/${other}`,
      as,
      body: proof,
      isDone: () => isEnded(other),
    };
  },
  RevokeOtherLogins: async () => {
    const { user, as } = await makeSignedIn(api);
    const other = await makeLogin(user.id);
    return {
      method: "DELETE",
      path: `${ACCESS}/logins`,
      as,
      body: proof,
      isDone: () => isEnded(other),
    };
  },
  UpdateUser: async () => {
    const { user } = await makeSignedIn(api);
    const isDone = () => isSignedOut(user.id);
    return {
      method: "PATCH",
      path: `/api/v1/users/${user.id}`,
      as: root.as,
      body: { isActive: false },
      isDone,
    };
  },
  DeleteUser: async () => {
    const { id } = await makeUser(api);
    const isDone = () => isNone("users", id);
    return { method: "DELETE", path: `/api/v1/users/${id}`, as: root.as, isDone };
  },
  AssignRole: async () => changeRole("assign", await makeUser(api)),
  RevokeRole: async () =>
    changeRole("revoke", await makeUser(api, { roleSlug: "fitness-trainer" })),
  EndClient: async () => {
    const { trainer, invitation } = await makeInvitation(api);
    const isDone = () => isTrue("clients", invitation.id, "ended_at is not null");
    return { method: "DELETE", path: `/api/v1/clients/${invitation.id}`, as: trainer.as, isDone };
  },
  EndTrainer: async () => {
    const { client, invitation } = await makeInvitation(api);
    const isDone = () => isTrue("clients", invitation.id, "ended_at is not null");
    return { method: "DELETE", path: `/api/v1/trainers/${invitation.id}`, as: client.as, isDone };
  },
  ChangeTrainerScopes: async () => {
    const { client, invitation, accept } = await makeInvitation(api);
    expectStatus(await accept(), 200);
    const isDone = () => isTrue("clients", invitation.id, "not can_write_plans");
    const body = { scopes: ["read_history"] };
    return {
      method: "PATCH",
      path: `/api/v1/trainers/${invitation.id}`,
      as: client.as,
      body,
      isDone,
    };
  },
  UpdateGrant: async () => {
    const { as, grantId } = await makeShared();
    const isDone = () => isTrue("grants", grantId, "access = 'read'");
    return {
      method: "PATCH",
      path: `/api/v1/grants/${grantId}`,
      as,
      body: { access: "read" },
      isDone,
    };
  },
  DeleteGrant: async () => {
    const { as, grantId } = await makeShared();
    return {
      method: "DELETE",
      path: `/api/v1/grants/${grantId}`,
      as,
      isDone: () => isNone("grants", grantId),
    };
  },
  DeleteLink: async () => {
    const { as, routineId } = await makeShared();
    const { id } = (await api.post("/api/v1/links", { as, body: { routineId } })).json;
    return { method: "DELETE", path: `/api/v1/links/${id}`, as, isDone: () => isNone("links", id) };
  },
  UpdateRoutine: async () => {
    const { as, routineId } = await makeShared();
    const isDone = () => isTrue("routines", routineId, "sharing = 'private'");
    return {
      method: "PATCH",
      path: `/api/v1/routines/${routineId}`,
      as,
      body: { sharing: "private" },
      isDone,
    };
  },
  UpdatePlan: async () => {
    const { as } = await makeSignedIn(api);
    const { id } = (
      await api.post("/api/v1/plans", {
        as,
        body: { name: "Strength", routines: [], sharing: "public" },
      })
    ).json;
    const isDone = () => isTrue("plans", id, "sharing = 'private'");
    return {
      method: "PATCH",
      path: `/api/v1/plans/${id}`,
      as,
      body: { sharing: "private" },
      isDone,
    };
  },
};

test.each(Object.keys(DEEDS))(
  "%s is finished though its client hangs up at any moment",
  async (name) => {
    const deeds = await Promise.all(
      Array.from({ length: ROUNDS }, DEEDS[name] as () => Promise<Deed>),
    );
    const before = await answered();
    for (const [round, deed] of deeds.entries())
      await sendAndHangUp(deed, (MAX_STAY_MS * round) / ROUNDS);
    // The process answers every request that reached it, although no client reads the answer.
    const statuses = await answered(before, ROUNDS);
    expect([...statuses.keys()].filter((status) => status === "499" || status === "500")).toEqual(
      [],
    );
    const done = await Promise.all(deeds.map(({ isDone }) => isDone()));
    expect(done).toEqual(deeds.map(() => true));
  },
);

test("every detached operation is tested, and docs/security.md lists them all", async () => {
  const detached = listOperations(api.deps).filter(({ spec }) => spec.isDetached);
  const ids = detached.map(({ spec }) => spec.id).sort();
  expect(
    Object.keys(DEEDS)
      .filter((name) => name !== "AccountLogin")
      .sort(),
  ).toEqual(ids);
  const docs = await Bun.file(join(import.meta.dir, "../../docs/security.md")).text();
  const [, listed = ""] = docs.split("## Detached operations");
  expect(ids.filter((id) => !listed.includes(`\`${id}\``))).toEqual([]);
});

async function changeRole(
  verb: "assign" | "revoke",
  { id, email }: { id: string; email: string },
): Promise<Deed> {
  const isDone = () => isRecorded(`users.role_${verb === "assign" ? "assigned" : "revoked"}`, id);
  const path = `/api/v1/roles/${email}/${verb}`;
  return { method: "PATCH", path, as: root.as, body: { roleSlug: "fitness-trainer" }, isDone };
}

/** A routine with a grant that lets another user write it. */
async function makeShared() {
  const [{ as }, friend] = [await makeSignedIn(api), await makeUser(api)];
  const routineId = (
    await api.post("/api/v1/routines", { as, body: { name: "Legs", exercises: [] } })
  ).json.id;
  const body = { routineId, email: friend.email, access: "write" };
  const grant = await api.post("/api/v1/grants", { as, body });
  expectStatus(grant, 201);
  return { as, routineId: routineId as string, grantId: grant.json.id as string };
}

async function makeLogin(userId: string): Promise<string> {
  const id = Bun.randomUUIDv7();
  const [startedAt, expiresAt] = [new Date(), new Date(Date.now() + 86_400_000)];
  const refreshHash = randomBytes(32);
  await insertLogin(database.pool, {
    id,
    userId,
    refreshHash,
    startedAt,
    expiresAt,
    userAgent: null,
    address: null,
  });
  return id;
}

/** Sends a complete request on a new connection, and closes the connection after `stayMs`. */
async function sendAndHangUp({ method, path, as, body }: Deed, stayMs: number) {
  const text = body === undefined ? "" : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost", `Cookie: ${as}`];
  if (text)
    lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(text)}`);
  const socket = connect(unix);
  socket.on("error", () => {});
  await new Promise<void>((resolve) =>
    socket.write(`${lines.join("\r\n")}\r\n\r\n${text}`, () => resolve()),
  );
  await Bun.sleep(stayMs);
  socket.destroy();
}

/**
 * How many requests the process has answered with each status; with `since`, once there are `more`.
 */
async function answered(since = new Map<string, number>(), more = 0): Promise<Map<string, number>> {
  for (;;) {
    const text = await (
      await fetch("http://localhost/metrics", { unix: operatorSocketPath(unix) })
    ).text();
    const counts = new Map<string, number>();
    for (const [, status = "", count] of text.matchAll(
      /^irontrack_requests_total\{.*status="(\d+)"\} (\d+)$/gm,
    )) {
      counts.set(status, (counts.get(status) ?? 0) + Number(count));
    }
    for (const [status, count] of since) counts.set(status, (counts.get(status) ?? 0) - count);
    for (const [status, count] of counts) if (count === 0) counts.delete(status);
    if ([...counts.values()].reduce((sum, count) => sum + count, 0) >= more) return counts;
    await Bun.sleep(10);
  }
}

async function isTrue(table: string, id: string, condition: string): Promise<boolean> {
  const rows = await database.pool.sql`
    select from ${database.pool.sql(table)} where id = ${id} and ${database.pool.sql.unsafe(condition)}`;
  return rows.length > 0;
}
const isNone = async (table: string, id: string) => !(await isTrue(table, id, "true"));
const isEnded = (loginId: string) => isTrue("logins", loginId, "revoked_at is not null");
async function isSignedOut(userId: string): Promise<boolean> {
  const live = await database.pool
    .sql`select from logins where user_id = ${userId} and revoked_at is null`;
  return live.length === 0;
}
async function isRecorded(event: string, userId: string): Promise<boolean> {
  const rows = await database.pool
    .sql`select from audit_events where event = ${event} and target_user_id = ${userId}`;
  return rows.length > 0;
}
