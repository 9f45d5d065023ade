import { expect, test } from "bun:test";
import { ABSENT, makeSignedIn, makeUser, PASSWORD, withSuperuser } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { USERS } from "#test/paths.ts";

const body = { email: "new@example.com", password: PASSWORD, name: "New" };

test(
  "a superuser creates, reads, changes and deletes an account",
  withSuperuser(async (api, { as }) => {
    const created = await api.post(USERS, { as, body });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      email: "new@example.com",
      name: "New",
      isSuperuser: false,
      roleSlug: "application-access",
    });
    const path = `${USERS}/${created.json.id}`;
    expect((await api.get(path, { as })).json).toEqual(created.json);
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
  "an address belongs to one account only",
  withSuperuser(async (api, { as, user }) => {
    const detail = `A user with the email '${user.email}' is already registered in the system`;
    expectProblem(
      await api.post(USERS, { as, body: { ...body, email: user.email.toUpperCase() } }),
      409,
      "users.email_taken",
      detail,
    );
    const other = await makeUser(api);
    expectProblem(
      await api.patch(`${USERS}/${other.id}`, { as, body: { email: user.email } }),
      409,
      "users.email_taken",
      detail,
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
])("changing an account to %p is refused, naming the field", async (change, field) => {
  await withSuperuser(async (api, { as }) => {
    const user = await makeUser(api);
    const answer = await api.patch(`${USERS}/${user.id}`, { as, body: change });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors.map((fault: { field: string }) => fault.field)).toContain(field);
  })();
});

test.each(["123456789", "password1", "new@example.com", "IronTrack!", "qwertyuiop"])(
  "a weak password (%s) is refused by every operation that sets one",
  async (password) => {
    await withSuperuser(async (api, { as }) => {
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
  "only a superuser may manage accounts, and others are refused before their input is validated",
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
  "deactivating an account ends its logins at once, and activation does not revive them",
  withSuperuser(async (api, { as }) => {
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
  "a password reset by a superuser ends all logins",
  withSuperuser(async (api, { as }) => {
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
  "each security event adds one row to the audit log, which cannot be changed",
  withSuperuser(async (api, { as, user }) => {
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
