import { Type } from "@sinclair/typebox";
import { type Actor, isSuperuser } from "../actor.ts";
import { type Operation, operation } from "../http/operation.ts";
import { created, noContent, ok, plain } from "../http/reply.ts";
import { SignIn, SignUp, User, UserAuth } from "./access.schemas.ts";
import { type AccessDeps, logOut, signIn, signUp } from "./access.service.ts";
import { clearedCookies, loginCookies } from "./cookies.ts";
import type { Keys } from "./keys.ts";

const tag = "Access";

export function accessRoutes(deps: AccessDeps, keys: Keys): Operation[] {
  const jwks = JSON.stringify({ keys: keys.publicJwks });
  return [
    operation(
      "POST",
      "/api/v1/access/signup",
      {
        id: "AccountRegister",
        tag,
        summary: "Create an account",
        access: "anyone",
        body: SignUp,
        answers: { 201: User },
        problems: { 409: "The address is taken", 503: "Too many people are signing up" },
      },
      async ({ body }) => created(await signUp(deps, body)),
    ),
    operation(
      "POST",
      "/api/v1/access/signin",
      {
        id: "AccountLogin",
        tag,
        summary: "Sign in: start a login and receive its two cookies",
        access: "anyone",
        body: SignIn,
        bodyMedia: "json-or-form",
        answers: { 204: null },
        problems: { 401: "Unknown address, wrong password or inactive account", 503: "Too many people are signing in" },
      },
      async ({ body, request }) => {
        const device = { userAgent: request.headers.get("user-agent")?.slice(0, 512) ?? null, address: null };
        const { accessToken, refreshToken } = await signIn(deps, body.username, body.password, device);
        return noContent(loginCookies(deps.config, accessToken, refreshToken));
      },
    ),
    operation(
      "POST",
      "/api/v1/access/logout",
      {
        id: "AccountLogout",
        tag,
        summary: "End the login that either cookie belongs to",
        access: "active",
        authenticatesItself: true,
        answers: { 204: null },
      },
      async ({ request }) => {
        await logOut(deps, request);
        return noContent(clearedCookies(deps.config));
      },
    ),
    operation(
      "GET",
      "/api/v1/access/me",
      { id: "AccountProfile", tag, summary: "Who is signed in", access: "active", answers: { 200: UserAuth } },
      ({ actor }) => ok(profileOf(actor)),
    ),
    operation(
      "GET",
      "/.well-known/jwks.json",
      {
        id: "ListPublicKeys",
        tag,
        summary: "The public keys that verify tokens, as a JWK Set (RFC 7517)",
        access: "anyone",
        answers: { 200: Type.Object({ keys: Type.Array(Type.Object({}), { maxItems: 16 }) }) },
      },
      () => ({
        ...plain(jwks),
        headers: { "content-type": "application/json;charset=utf-8", "cache-control": "public, max-age=300" },
      }),
    ),
  ];
}

const profileOf = (actor: Actor) => ({
  id: actor.userId,
  name: actor.name,
  email: actor.email,
  isActive: true,
  isSuperuser: isSuperuser(actor),
  roleSlug: actor.roleSlug,
});
