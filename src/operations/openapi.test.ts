import { expect, test } from "bun:test";
import { makeUser, signInFor } from "#test/fixtures.ts";
import { expectStatus, withApi } from "#test/harness.ts";
import { ACCESS } from "#test/paths.ts";
import { cookieNames } from "../access/cookies.ts";

test(
  "the document says which cookies an operation takes, and those are enough",
  withApi(async (api) => {
    const { paths, components } = (await api.get("/openapi.json")).json;
    const user = await makeUser(api);
    for (const [method, path, schemes] of [
      ["POST", `${ACCESS}/refresh-jwt`, ["refresh_token"]],
      ["POST", `${ACCESS}/logout`, ["access_token", "refresh_token"]],
      ["GET", `${ACCESS}/me`, ["access_token"]],
    ] as const) {
      expect(paths[path][method.toLowerCase()].security).toEqual(
        schemes.map((name) => ({ [name]: [] })),
      );
      for (const kind of ["access", "refresh"] as const) {
        const as = (await signInFor(api, user.email))[kind];
        const isEnough = (schemes as readonly string[]).includes(`${kind}_token`);
        const answer = await api.ask(method, path, { as });
        expectStatus(answer, isEnough ? (method === "GET" ? 200 : 204) : 401);
      }
    }
    const names = cookieNames(api.deps.config);
    expect(components.securitySchemes.access_token.name).toBe(names.access);
    expect(components.securitySchemes.refresh_token.name).toBe(names.refresh);
  }),
);
