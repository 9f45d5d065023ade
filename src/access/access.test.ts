import { expect, test } from "bun:test";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { makeSignedIn, makeUser, PASSWORD } from "#test/make.ts";
import { statementsOf } from "#test/transaction.ts";

const signUp = { email: "Ada@Example.com", password: PASSWORD, confirmPassword: PASSWORD, name: "  Ada   Lovelace " };

test(
  "a person signs up, signs in, asks who they are, and logs out",
  withApi(async (api) => {
    const created = await api.post("/api/v1/access/signup", { body: signUp });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      email: "ada@example.com",
      name: "Ada Lovelace",
      isActive: true,
      roleSlug: "application-access",
    });
    const signedIn = await api.post("/api/v1/access/signin", {
      body: { username: "ADA@example.com", password: PASSWORD },
    });
    expectStatus(signedIn, 204);
    const as = signedIn.headers
      .getSetCookie()
      .map((cookie) => cookie.split(";")[0])
      .join("; ");
    const me = await api.get("/api/v1/access/me", { as });
    expect(me.json).toEqual({
      id: created.json.id,
      name: "Ada Lovelace",
      email: "ada@example.com",
      isActive: true,
      isSuperuser: false,
      roleSlug: "application-access",
    });
    expectStatus(await api.post("/api/v1/access/logout", { as }), 204);
    expectProblem(await api.get("/api/v1/access/me", { as }), 401, "access.login_revoked", "Invalid credentials");
  }),
);

test(
  "an address can sign up once, whatever its case",
  withApi(async (api) => {
    await makeUser(api, { email: "taken@example.com" });
    const again = await api.post("/api/v1/access/signup", { body: { ...signUp, email: "TAKEN@example.com" } });
    expectProblem(again, 409, "access.email_taken", "A user with this email already exists");
    expectStatus(await api.post("/api/v1/access/signup", { body: signUp }), 201);
  }),
);

test(
  "asking who is signed in takes no statement once the login is remembered",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    expect(await statementsOf(() => api.get("/api/v1/access/me", { as }))).toHaveLength(1);
    expect(await statementsOf(() => api.get("/api/v1/access/me", { as }))).toHaveLength(0);
  }),
);
