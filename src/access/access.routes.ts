import { Type } from "@sinclair/typebox";
import { type OriginDeps, originOf } from "../audit/origin.ts";
import { created, noContent, ok, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { type Actor, isSuperuser } from "../permissions/actor.ts";
import {
  LoginId,
  Logins,
  PasswordChange,
  PasswordProof,
  SignIn,
  SignUp,
  User,
  UserAuth,
} from "./access.schemas.ts";
import {
  changePassword,
  listLogins,
  logOut,
  revokeLogin,
  revokeOtherLogins,
} from "./access.service.ts";
import { authenticateByEither } from "./authentication.ts";
import { clearedCookies, loginCookies } from "./cookies.ts";
import type { Keys } from "./keys.ts";
import { type RefreshDeps, refresh } from "./refresh.service.ts";
import { type SignInDeps, signIn, signUp } from "./sign-in.service.ts";

export type AccessDeps = SignInDeps & RefreshDeps & OriginDeps;

const P = "/api/v1/access";
const tag = "Access";
const busy = { 503: "Too many people are signing in, or the database cannot be reached" };
const throttled = { 429: "Too many attempts: Retry-After says how long to wait" };

export function accessRoutes(deps: AccessDeps, keys: Keys): Operation[] {
  const jwks = JSON.stringify({ keys: keys.publicJwks });
  const { config } = deps;
  return [
    operation(
      "POST",
      `${P}/signup`,
      {
        id: "AccountRegister",
        tag,
        summary: "Create an account",
        access: "anyone",
        body: SignUp,
        answers: { 201: User },
        problems: { 409: "The address is taken", ...throttled, ...busy },
      },
      async (input) => created(await signUp(deps, originOf(deps, input), input.body)),
    ),
    operation(
      "POST",
      `${P}/signin`,
      {
        id: "AccountLogin",
        tag,
        summary: "Sign in: start a login and receive its two cookies",
        access: "anyone",
        body: SignIn,
        bodyMedia: "json-or-form",
        answers: { 204: null },
        problems: {
          401: "Unknown address, wrong password or inactive account",
          ...throttled,
          ...busy,
        },
      },
      async (input) => {
        const { username, password } = input.body;
        const pair = await signIn(deps, originOf(deps, input), input.request, username, password);
        return noContent(loginCookies(config, pair.accessToken, pair.refreshToken));
      },
    ),
    operation(
      "POST",
      `${P}/refresh-jwt`,
      {
        id: "RefreshAccessToken",
        isDetached: true,
        tag,
        summary: "Exchange the refresh cookie for two new cookies",
        access: "active",
        credentials: ["refresh_token"],
        answers: { 204: null },
        problems: throttled,
      },
      async (input) => {
        const pair = await refresh(deps, originOf(deps, input), input.request);
        return noContent(loginCookies(config, pair.accessToken, pair.refreshToken));
      },
    ),
    operation(
      "POST",
      `${P}/logout`,
      {
        id: "AccountLogout",
        isDetached: true,
        tag,
        summary: "End the login that either cookie belongs to",
        access: "active",
        credentials: ["access_token", "refresh_token"],
        answers: { 204: null },
      },
      async (input) => {
        const actor = await authenticateByEither(deps, input.request);
        await logOut(deps, originOf(deps, { ...input, actor }), actor);
        return noContent(clearedCookies(config));
      },
    ),
    operation(
      "PATCH",
      `${P}/password-update`,
      {
        id: "AccountUpdatePwd",
        isDetached: true,
        tag,
        summary: "Change the password and end every login of the account",
        access: "active",
        body: PasswordChange,
        answers: { 204: null },
        problems: {
          401: "Not signed in, or the current password is incorrect",
          ...throttled,
          ...busy,
        },
      },
      async (input) => {
        await changePassword(deps, originOf(deps, input), input.actor, input.body);
        return noContent(clearedCookies(config));
      },
    ),
    operation(
      "GET",
      `${P}/me`,
      {
        id: "AccountProfile",
        tag,
        summary: "Who is signed in",
        access: "active",
        answers: { 200: UserAuth },
      },
      ({ actor }) => okJson(profileJsonOf(actor)),
    ),
    operation(
      "GET",
      `${P}/logins`,
      {
        id: "ListLogins",
        tag,
        summary: "List one's live logins, the one used last first",
        access: "active",
        answers: { 200: Logins },
      },
      async ({ actor }) => ok(await listLogins(deps, actor)),
    ),
    operation(
      "DELETE",
      `${P}/logins/:loginId`,
      {
        id: "RevokeLogin",
        isDetached: true,
        tag,
        summary: "End one of one's logins",
        access: "active",
        params: LoginId,
        body: PasswordProof,
        answers: { 204: null },
        problems: {
          401: "Not signed in, or the current password is incorrect",
          404: "There is no such live login",
          ...throttled,
        },
      },
      async (input) => {
        const { actor, params, body } = input;
        await revokeLogin(deps, originOf(deps, input), actor, params.loginId, body.currentPassword);
        return noContent();
      },
    ),
    operation(
      "DELETE",
      `${P}/logins`,
      {
        id: "RevokeOtherLogins",
        isDetached: true,
        tag,
        summary: "End every login of one's own but this one",
        access: "active",
        body: PasswordProof,
        answers: { 204: null },
        problems: { 401: "Not signed in, or the current password is incorrect", ...throttled },
      },
      async (input) => {
        await revokeOtherLogins(
          deps,
          originOf(deps, input),
          input.actor,
          input.body.currentPassword,
        );
        return noContent();
      },
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
        status: 200,
        body: jwks,
        headers: {
          "content-type": "application/json;charset=utf-8",
          "cache-control": "public, max-age=300",
        },
      }),
    ),
  ];
}

/** Profiles by cached actor: the login cache makes a new object when anything about it changes. */
const profiles = new WeakMap<Actor, string>();

function profileJsonOf(actor: Actor): string {
  let json = profiles.get(actor);
  if (json === undefined) {
    const { userId: id, name, email, roleSlug } = actor;
    json = JSON.stringify({
      id,
      name,
      email,
      isActive: true,
      isSuperuser: isSuperuser(actor),
      roleSlug,
    });
    profiles.set(actor, json);
  }
  return json;
}
