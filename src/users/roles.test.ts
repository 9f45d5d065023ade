import { expect, test } from "bun:test";
import { makeSignedIn, makeUser, withSuperuser } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus } from "#test/harness.ts";
import { API, USERS } from "#test/paths.ts";

const makeSystemAdmin = async (api: Api) => {
  const user = await makeUser(api, { roleSlug: "superuser" });
  await api.deps.db.sql`update users set is_system_admin = true where id = ${user.id}`;
  return user;
};

test(
  "superusers can neither change the system administrator nor demote, deactivate or delete themselves",
  withSuperuser(async (api, { as, user }) => {
    const system = await makeSystemAdmin(api);
    const revokeRole = (email: string) =>
      api.patch(`${API}/roles/${email}/revoke`, { as, body: { roleSlug: "superuser" } });
    for (const answer of [
      await api.patch(`${USERS}/${system.id}`, { as, body: { name: "x" } }),
      await api.delete(`${USERS}/${system.id}`, { as }),
      await revokeRole(system.email),
    ]) {
      const text = "Forbidden: Cannot modify the primary system administrator account";
      expectProblem(answer, 403, "users.system_administrator", text);
    }
    for (const answer of [
      await api.patch(`${USERS}/${user.id}`, { as, body: { isActive: false } }),
      await api.patch(`${USERS}/${user.id}`, { as, body: { isSuperuser: false } }),
      await api.delete(`${USERS}/${user.id}`, { as }),
      await revokeRole(user.email),
    ]) {
      const text = "Self-action forbidden: Cannot perform destructive action on your own account";
      expectProblem(answer, 403, "users.self_action", text);
    }
    expectStatus(await api.patch(`${USERS}/${user.id}`, { as, body: { name: "Me" } }), 200);
  }),
);

test(
  "roles are assigned and revoked, with refusals in the documented order",
  withSuperuser(async (api, { as }) => {
    const role = (email: string, verb: string, roleSlug: string) =>
      api.patch(`${API}/roles/${encodeURIComponent(email)}/${verb}`, { as, body: { roleSlug } });
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
  "a changed role applies to the next request",
  withSuperuser(async (api, { as }) => {
    const other = await makeSignedIn(api);
    const assign = (verb: string) =>
      api.patch(`${API}/roles/${other.user.email}/${verb}`, {
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
