import { expect, test } from "bun:test";
import { cookiesOf, makeSignedIn, makeUser, PASSWORD, signInFor } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { ACCESS } from "#test/paths.ts";

const NEW_PASSWORD = "another battery, another staple";

test(
  "a user lists the devices that are signed in, and ends one of the logins",
  withApi(async (api) => {
    const user = await makeUser(api);
    const here = await signInFor(api, user.email);
    const there = await signInFor(api, user.email);
    const listed = await api.get(`${ACCESS}/logins`, { as: here.access });
    expectStatus(listed, 200);
    expect(listed.json).toHaveLength(2);
    const other = listed.json.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
    expectStatus(
      await api.delete(`${ACCESS}/logins/${other.id}`, {
        as: here.access,
        body: { currentPassword: PASSWORD },
      }),
      204,
    );
    expectProblem(
      await api.get(`${ACCESS}/me`, { as: there.access }),
      401,
      "access.login_revoked",
      "Invalid credentials",
    );
    expectProblem(
      await api.post(`${ACCESS}/refresh-jwt`, { as: there.refresh }),
      401,
      "access.login_revoked",
    );
    expectStatus(await api.get(`${ACCESS}/me`, { as: here.access }), 200);
  }),
);

test(
  "ending a login takes the password, and another user's login cannot be ended",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const stranger = await makeSignedIn(api);
    const [theirs] = (await api.get(`${ACCESS}/logins`, { as: stranger.as })).json;
    const wrong = await api.delete(`${ACCESS}/logins/${theirs.id}`, {
      as,
      body: { currentPassword: "wrong" },
    });
    expectProblem(wrong, 401, "access.wrong_password", "Current password is incorrect");
    const right = await api.delete(`${ACCESS}/logins/${theirs.id}`, {
      as,
      body: { currentPassword: PASSWORD },
    });
    expectProblem(right, 404, "access.login_not_found", "Login not found");
    expectStatus(await api.get(`${ACCESS}/me`, { as: stranger.as }), 200);
  }),
);

test(
  "ending all other logins takes effect at once, and the present one stays",
  withApi(async (api) => {
    const user = await makeUser(api);
    const here = await signInFor(api, user.email);
    const others = [await signInFor(api, user.email), await signInFor(api, user.email)];
    expectStatus(
      await api.delete(`${ACCESS}/logins`, {
        as: here.access,
        body: { currentPassword: PASSWORD },
      }),
      204,
    );
    for (const other of others)
      expectStatus(await api.get(`${ACCESS}/me`, { as: other.access }), 401);
    expectStatus(await api.get(`${ACCESS}/me`, { as: here.access }), 200);
  }),
);

test(
  "changing the password ends all logins, and only the new password signs in",
  withApi(async (api) => {
    const user = await makeUser(api);
    const [here, there] = [await signInFor(api, user.email), await signInFor(api, user.email)];
    const change = (currentPassword: string, newPassword: string) =>
      api.patch(`${ACCESS}/password-update`, {
        as: here.access,
        body: { currentPassword, newPassword },
      });
    expectProblem(
      await change("wrong", NEW_PASSWORD),
      401,
      "access.wrong_password",
      "Current password is incorrect",
    );
    expectProblem(await change(PASSWORD, "password1"), 422, "access.weak_password");
    expectProblem(await change(PASSWORD, user.email), 422, "access.weak_password");
    const changed = await change(PASSWORD, NEW_PASSWORD);
    expectStatus(changed, 204);
    expect(changed.headers.getSetCookie().every((cookie) => cookie.includes("Max-Age=0"))).toBe(
      true,
    );
    for (const { access } of [here, there])
      expectStatus(await api.get(`${ACCESS}/me`, { as: access }), 401);
    const signIn = (password: string) =>
      api.post(`${ACCESS}/signin`, { body: { username: user.email, password } });
    expectProblem(await signIn(PASSWORD), 401, "access.invalid_credentials");
    expectStatus(await signIn(NEW_PASSWORD), 204);
  }),
);

test(
  "logging out works with either cookie, and afterwards copies of both are refused",
  withApi(async (api) => {
    const user = await makeUser(api);
    for (const by of ["access", "refresh"] as const) {
      const login = await signInFor(api, user.email);
      const out = await api.post(`${ACCESS}/logout`, { as: login[by] });
      expectStatus(out, 204);
      expect(cookiesOf(out.headers)).toEqual({
        access: "access_token=",
        refresh: "refresh_token=",
      });
      expectProblem(
        await api.get(`${ACCESS}/me`, { as: login.access }),
        401,
        "access.login_revoked",
      );
      expectProblem(
        await api.post(`${ACCESS}/refresh-jwt`, { as: login.refresh }),
        401,
        "access.login_revoked",
      );
      expectProblem(
        await api.post(`${ACCESS}/logout`, { as: login.refresh }),
        401,
        "access.login_revoked",
      );
    }
    expectProblem(
      await api.post(`${ACCESS}/logout`),
      401,
      "access.not_authenticated",
      "Not authenticated",
    );
  }),
);

test(
  "signing in again on a device ends its previous login",
  withApi(async (api) => {
    const user = await makeUser(api);
    const first = await signInFor(api, user.email);
    await signInFor(api, user.email, { as: `${first.access}; ${first.refresh}` });
    expectStatus(await api.get(`${ACCESS}/me`, { as: first.access }), 401);
  }),
);

test(
  "each reason for refusing a login has its own code and message",
  withApi(async (api) => {
    const deleted = await makeSignedIn(api);
    await api.deps.db.sql`delete from users where id = ${deleted.user.id}`;
    const deletedAnswer = await api.get(`${ACCESS}/me`, { as: deleted.as });
    expectProblem(deletedAnswer, 401, "access.user_gone", "Invalid authentication credentials");
    expect(deletedAnswer.headers.get("www-authenticate")).toBe("Cookie");
    const inactive = await makeSignedIn(api);
    await api.deps.db.sql`update users set is_active = false where id = ${inactive.user.id}`;
    const text = "Invalid credentials or account is unavailable";
    expectProblem(
      await api.get(`${ACCESS}/me`, { as: inactive.as }),
      401,
      "access.user_inactive",
      text,
    );
    const wrong = [
      { username: "nobody@example.com", password: PASSWORD },
      { username: inactive.user.email, password: PASSWORD },
      { username: deleted.user.email, password: "wrong" },
    ];
    for (const body of wrong) {
      expectProblem(
        await api.post(`${ACCESS}/signin`, { body }),
        401,
        "access.invalid_credentials",
        text,
      );
    }
  }),
);

test("cookies are HttpOnly and same-site, each in its own header, with prefixes over TLS", async () => {
  const setCookies = async (settings: Record<string, string>) => {
    let cookies: string[] = [];
    await withApi(
      async (api) => {
        const user = await makeUser(api);
        const body = { username: user.email, password: PASSWORD };
        cookies = (await api.post(`${ACCESS}/signin`, { body })).headers.getSetCookie();
      },
      { settings },
    )();
    return cookies.map((cookie) => cookie.replace(/=[^;]+/, "=…"));
  };
  expect(await setCookies({})).toEqual([
    "access_token=…; Path=/; HttpOnly; SameSite=Lax; Max-Age=1800",
    "refresh_token=…; Path=/api/v1/access; HttpOnly; SameSite=Strict; Max-Age=604800",
  ]);
  expect(await setCookies({ COOKIE_SECURE: "true" })).toEqual([
    "__Host-access_token=…; Path=/; HttpOnly; SameSite=Lax; Max-Age=1800; Secure",
    "__Secure-refresh_token=…; Path=/api/v1/access; HttpOnly; SameSite=Strict; Max-Age=604800; Secure",
  ]);
});
