import { expect, test } from "bun:test";
import { makeSignedIn, makeUser, PASSWORD, signInFor } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { statementsOf } from "#test/transaction.ts";

const signUp = {
  email: "Ada@Example.com",
  password: PASSWORD,
  confirmPassword: PASSWORD,
  name: "  Ada   Lovelace ",
};

test(
  "a user signs up, signs in, reads their profile, and logs out",
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
    expectProblem(
      await api.get("/api/v1/access/me", { as }),
      401,
      "access.login_revoked",
      "Invalid credentials",
    );
  }),
);

test(
  "an address can sign up only once, in any case",
  withApi(async (api) => {
    await makeUser(api, { email: "taken@example.com" });
    const again = await api.post("/api/v1/access/signup", {
      body: { ...signUp, email: "TAKEN@example.com" },
    });
    expectProblem(again, 409, "access.email_taken", "A user with this email already exists");
    expectStatus(await api.post("/api/v1/access/signup", { body: signUp }), 201);
  }),
);

test.each<[string, Record<string, unknown>, string, string]>([
  [
    "two passwords that differ",
    { confirmPassword: `${PASSWORD}!` },
    "/confirmPassword",
    "Passwords don't match",
  ],
  [
    "a password of seven characters",
    { password: "1234567", confirmPassword: "1234567" },
    "/password",
    "Must have at least 8 characters",
  ],
  [
    "a password of 129 characters",
    { password: "x".repeat(129) },
    "/password",
    "Must have at most 128 characters",
  ],
  ["no address", { email: "ada" }, "/email", "Must be a valid email"],
  ["an address with two @", { email: "a@b@example.com" }, "/email", "Must be a valid email"],
  ["a blank name", { name: "  " }, "/name", "Must have at least 1 characters"],
  ["a role", { roleSlug: "superuser" }, "/roleSlug", "This field is not known"],
  ["a NUL", { name: "a\u0000b" }, "/name", "Must be text without NUL or broken characters"],
])("signing up with %s is refused, naming the field", async (_what, change, field, message) => {
  await withApi(async (api) => {
    const answer = await api.post("/api/v1/access/signup", { body: { ...signUp, ...change } });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors).toContainEqual(expect.objectContaining({ field, message }));
  })();
});

test("the administrator's address cannot be signed up for", async () => {
  const taken = "A user with this email already exists";
  await withApi(
    async (api) =>
      expectProblem(
        await api.post("/api/v1/access/signup", { body: signUp }),
        409,
        "access.email_taken",
        taken,
      ),
    { settings: { ADMIN_EMAIL: "ADA@example.com" } },
  )();
});

test.each([
  "correct horse battery staple",
  "пароль-из-слов",
  "密码密码密码密码",
  "        spaces        ",
  "x".repeat(128),
])(
  "any characters make a password (%s), and it signs in exactly as it was typed",
  async (password) => {
    await withApi(async (api) => {
      const body = { ...signUp, password, confirmPassword: password };
      expectStatus(await api.post("/api/v1/access/signup", { body }), 201);
      const signIn = (attempt: string) =>
        api.post("/api/v1/access/signin", { body: { username: signUp.email, password: attempt } });
      expectStatus(await signIn(password), 204);
      expectStatus(await signIn(password.slice(0, -1)), 401);
    })();
  },
);

test(
  "signing in accepts a form as well as JSON",
  withApi(async (api) => {
    const user = await makeUser(api);
    const form = new URLSearchParams({ username: user.email, password: PASSWORD });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expectStatus(await api.post("/api/v1/access/signin", { body: form.toString(), headers }), 204);
    const boundary = "x-boundary";
    const part = (name: string, value: string) =>
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const multipart = `${part("username", user.email)}${part("password", PASSWORD)}--${boundary}--\r\n`;
    const asMultipart = { "content-type": `multipart/form-data; boundary=${boundary}` };
    expectStatus(
      await api.post("/api/v1/access/signin", { body: multipart, headers: asMultipart }),
      204,
    );
    // Other operations do not: another site may send a form without a preflight.
    const elsewhere = await api.post("/api/v1/access/signup", { body: form.toString(), headers });
    expectProblem(elsewhere, 415, "unsupported_media_type");
  }),
);

test(
  "a password hash with old parameters is replaced when its owner signs in",
  withApi(async (api) => {
    const user = await makeUser(api);
    const oldHash = await Bun.password.hash(PASSWORD, {
      algorithm: "argon2id",
      memoryCost: 8192,
      timeCost: 1,
    });
    await api.deps.db.sql`update users set password_hash = ${oldHash} where id = ${user.id}`;
    await signInFor(api, user.email);
    const [stored] = await api.deps.db.sql`select password_hash from users where id = ${user.id}`;
    expect(stored?.password_hash).toContain("m=19456,t=2,p=1");
  }),
);

test(
  "reading the profile takes no statement once the login is cached",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    expect(await statementsOf(() => api.get("/api/v1/access/me", { as }))).toHaveLength(1);
    expect(await statementsOf(() => api.get("/api/v1/access/me", { as }))).toHaveLength(0);
  }),
);
