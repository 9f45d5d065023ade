import { expect, test } from "bun:test";
import { ABSENT, makeSignedIn, makeUser, PASSWORD } from "#test/fixtures.ts";
import { type Answer, type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { USERS } from "#test/paths.ts";

const body = { email: "new@example.com", password: PASSWORD, name: "New" };

const asAdmin = (
  work: (api: Api, admin: Awaited<ReturnType<typeof makeSignedIn>>) => Promise<void>,
) => withApi(async (api) => work(api, await makeSignedIn(api, { roleSlug: "superuser" })));

const makeSystemAdmin = async (api: Api) => {
  const user = await makeUser(api, { roleSlug: "superuser" });
  await api.deps.db.sql`update users set is_system_admin = true where id = ${user.id}`;
  return user;
};

test(
  "a superuser creates, reads, changes and deletes an account",
  asAdmin(async (api, { as }) => {
    const made = await api.post(USERS, { as, body });
    expectStatus(made, 201);
    expect(made.json).toMatchObject({
      email: "new@example.com",
      name: "New",
      isSuperuser: false,
      roleSlug: "application-access",
    });
    const path = `${USERS}/${made.json.id}`;
    expect((await api.get(path, { as })).json).toEqual(made.json);
    const changed = await api.patch(path, { as, body: { name: null, isSuperuser: true } });
    expect(changed.json).toMatchObject({
      name: null,
      isSuperuser: true,
      roleSlug: "superuser",
      roleName: "Superuser",
    });
    expect((await api.patch(path, { as, body: {} })).json).toEqual(changed.json);
    expect((await api.patch(path, { as, body: { isSuperuser: false } })).json.roleSlug).toBe(
      "application-access",
    );
    expectStatus(await api.delete(path, { as }), 204);
    expectProblem(await api.get(path, { as }), 404, "users.not_found", "User not found");
    expectProblem(await api.delete(path, { as }), 404, "users.not_found", "User not found");
  }),
);

test(
  "an address belongs to one account, whoever asks",
  asAdmin(async (api, { as, user }) => {
    const taken = `A user with the email '${user.email}' is already registered in the system`;
    expectProblem(
      await api.post(USERS, { as, body: { ...body, email: user.email.toUpperCase() } }),
      409,
      "users.email_taken",
      taken,
    );
    const other = await makeUser(api);
    expectProblem(
      await api.patch(`${USERS}/${other.id}`, { as, body: { email: user.email } }),
      409,
      "users.email_taken",
      taken,
    );
  }),
);

test.each([
  [{ email: null }, "/email"],
  [{ password: null }, "/password"],
  [{ isActive: null }, "/isActive"],
  [{ roleSlug: "superuser" }, "/roleSlug"],
  [{ version: 7 }, "/version"],
  [{ id: ABSENT }, "/id"],
  [{ password: "short" }, "/password"],
  [{ email: "no address" }, "/email"],
])("a change of an account to %p is refused, naming the field", async (change, field) => {
  await asAdmin(async (api, { as }) => {
    const user = await makeUser(api);
    const answer = await api.patch(`${USERS}/${user.id}`, { as, body: change });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors.map((fault: { field: string }) => fault.field)).toContain(field);
  })();
});

test.each(["123456789", "password1", "new@example.com", "IronTrack!", "qwertyuiop"])(
  "a weak password (%s) is refused at every door",
  async (password) => {
    await asAdmin(async (api, { as }) => {
      const signUp = { email: body.email, password, confirmPassword: password };
      expectProblem(
        await api.post("/api/v1/access/signup", { body: signUp }),
        422,
        "access.weak_password",
      );
      expectProblem(
        await api.post(USERS, { as, body: { ...body, password } }),
        422,
        "access.weak_password",
      );
      const user = await makeUser(api, { email: body.email });
      expectProblem(
        await api.patch(`${USERS}/${user.id}`, { as, body: { password } }),
        422,
        "access.weak_password",
      );
    })();
  },
);

test(
  "nobody but a superuser may do anything with accounts, and is told before their input is looked at",
  withApi(async (api) => {
    for (const roleSlug of ["application-access", "fitness-trainer"] as const) {
      const { as } = await makeSignedIn(api, { roleSlug });
      const answers = [
        await api.post(USERS, { as, body: {} }),
        await api.get(`${USERS}?nonsense=1`, { as }),
        await api.get(`${USERS}/nonsense`, { as }),
        await api.patch(`${USERS}/${ABSENT}`, { as, body: {} }),
        await api.delete(`${USERS}/${ABSENT}`, { as }),
        await api.patch("/api/v1/roles/x/assign", { as, body: {} }),
        await api.get("/api/v1/audit", { as }),
      ];
      for (const answer of answers) {
        expectProblem(
          answer,
          403,
          "access.superuser_required",
          "Access denied: Superuser privileges required",
        );
      }
    }
    expectProblem(await api.post(USERS, { body: {} }), 401, "access.not_authenticated");
  }),
);

test(
  "a deactivated account is out at once, and activation revives no login",
  asAdmin(async (api, { as }) => {
    const other = await makeSignedIn(api);
    const path = `${USERS}/${other.user.id}`;
    expectStatus(await api.get("/api/v1/access/me", { as: other.as }), 200);
    expectStatus(await api.patch(path, { as, body: { isActive: false } }), 200);
    expectProblem(
      await api.get("/api/v1/access/me", { as: other.as }),
      401,
      "access.user_inactive",
    );
    expectStatus(await api.patch(path, { as, body: { isActive: true } }), 200);
    expectProblem(
      await api.get("/api/v1/access/me", { as: other.as }),
      401,
      "access.login_revoked",
    );
  }),
);

test(
  "a password that an administrator sets ends every login",
  asAdmin(async (api, { as }) => {
    const other = await makeSignedIn(api);
    expectStatus(
      await api.patch(`${USERS}/${other.user.id}`, {
        as,
        body: { password: "a new battery staple" },
      }),
      200,
    );
    expectProblem(
      await api.get("/api/v1/access/me", { as: other.as }),
      401,
      "access.login_revoked",
    );
  }),
);

test(
  "the system administrator is out of reach, and nobody harms themselves",
  asAdmin(async (api, { as, user }) => {
    const system = await makeSystemAdmin(api);
    const protectedText = "Forbidden: Cannot modify the primary system administrator account";
    const selfText = "Self-action forbidden: Cannot perform destructive action on your own account";
    const refused: [Answer, string, string][] = [
      [
        await api.patch(`${USERS}/${system.id}`, { as, body: { name: "x" } }),
        "users.system_administrator",
        protectedText,
      ],
      [
        await api.delete(`${USERS}/${system.id}`, { as }),
        "users.system_administrator",
        protectedText,
      ],
      [
        await api.patch(`/api/v1/roles/${system.email}/revoke`, {
          as,
          body: { roleSlug: "superuser" },
        }),
        "users.system_administrator",
        protectedText,
      ],
      [
        await api.patch(`${USERS}/${user.id}`, { as, body: { isActive: false } }),
        "users.self_action",
        selfText,
      ],
      [
        await api.patch(`${USERS}/${user.id}`, { as, body: { isSuperuser: false } }),
        "users.self_action",
        selfText,
      ],
      [await api.delete(`${USERS}/${user.id}`, { as }), "users.self_action", selfText],
      [
        await api.patch(`/api/v1/roles/${user.email}/revoke`, {
          as,
          body: { roleSlug: "superuser" },
        }),
        "users.self_action",
        selfText,
      ],
    ];
    for (const [answer, code, text] of refused) expectProblem(answer, 403, code, text);
    expectStatus(await api.patch(`${USERS}/${user.id}`, { as, body: { name: "Me" } }), 200);
  }),
);

test(
  "roles are given and taken, each refusal in the order of the HTTP conventions",
  asAdmin(async (api, { as }) => {
    const role = (email: string, verb: string, roleSlug: string) =>
      api.patch(`/api/v1/roles/${encodeURIComponent(email)}/${verb}`, { as, body: { roleSlug } });
    const user = await makeUser(api);
    const inactive = await makeUser(api, { isActive: false });
    expect((await role(user.email, "assign", "fitness-trainer")).json).toEqual({
      message: `Successfully assigned the 'fitness-trainer' role to ${user.email}`,
    });
    expectProblem(
      await role(user.email, "assign", "fitness-trainer"),
      409,
      "users.role_already_assigned",
      `User ${user.email} already has the 'fitness-trainer' role`,
    );
    expectProblem(
      await role(user.email, "revoke", "superuser"),
      409,
      "users.role_mismatch",
      `User ${user.email} currently has the 'fitness-trainer' role, which does not match the requested role 'superuser' for revocation`,
    );
    expect((await role(user.email, "revoke", "fitness-trainer")).json).toEqual({
      message: `Successfully revoked the 'fitness-trainer' role for ${user.email} and set to default role 'application-access'`,
    });
    expectProblem(
      await role("nobody@example.com", "assign", "superuser"),
      404,
      "users.not_found",
      "User not found",
    );
    expectProblem(
      await role(inactive.email, "assign", "superuser"),
      403,
      "users.inactive",
      `Cannot modify role for inactive user ${inactive.email}`,
    );
    expectProblem(await role(user.email, "assign", "application-access"), 422, "invalid_request");
  }),
);

test(
  "a changed role holds on the very next request",
  asAdmin(async (api, { as }) => {
    const other = await makeSignedIn(api);
    const assign = (verb: string) =>
      api.patch(`/api/v1/roles/${other.user.email}/${verb}`, {
        as,
        body: { roleSlug: "superuser" },
      });
    expectStatus(await api.get(USERS, { as: other.as }), 403);
    expectStatus(await assign("assign"), 200);
    expectStatus(await api.get(USERS, { as: other.as }), 200);
    expectStatus(await assign("revoke"), 200);
    expectStatus(await api.get(USERS, { as: other.as }), 403);
  }),
);

test(
  "each security event leaves one line in the audit log, which nobody can change",
  asAdmin(async (api, { as, user }) => {
    const { json } = await api.post(USERS, {
      as,
      body,
      headers: { "x-request-id": "audit-test-1" },
    });
    const events = await api.get(`/api/v1/audit?userId=${json.id}`, { as });
    expect(events.json.items).toEqual([
      expect.objectContaining({
        event: "users.created",
        actor: "user",
        actorUserId: user.id,
        targetUserId: json.id,
        address: "192.0.2.1",
        requestId: "audit-test-1",
      }),
    ]);
    const { sql } = api.deps.db;
    await expect(sql`update audit_events set event = 'x.y'`.then()).rejects.toThrow(
      "never changed",
    );
    await expect(sql`delete from audit_events`.then()).rejects.toThrow("never changed");
  }),
);
