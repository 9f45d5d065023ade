import { Type } from "@sinclair/typebox";
import type { Origin } from "../audit/audit.queries.ts";
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
  type AccessDeps,
  changePassword,
  listLogins,
  logOut,
  revokeLogin,
  revokeOtherLogins,
} from "./access.service.ts";
import { authenticateByEither } from "./authentication.ts";
import { clearedCookies, loginCookies } from "./cookies.ts";
import type { Keys } from "./keys.ts";
import { refresh } from "./refresh.service.ts";
import { signIn, signUp } from "./sign-in.service.ts";

const P = "/api/v1/access";
const tag = "Access";
const busy = { 503: "Too many people are signing in, or the database cannot be reached" };
const throttled = { 429: "Too many attempts: Retry-After says how long to wait" };

/** Where a request's changes come from, for the audit log. */
export const originOf = (
  deps: Pick<AccessDeps, "addressOf">,
  { request, requestId, actor }: { request: Request; requestId: string; actor: Actor | undefined },
): Origin => ({
  actor: actor ? "user" : "nobody",
  userId: actor?.userId ?? null,
  address: deps.addressOf(request),
  requestId,
});

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
      async (asked) => created(await signUp(deps, originOf(deps, asked), asked.body)),
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
      async (asked) => {
        const { username, password } = asked.body;
        const pair = await signIn(deps, originOf(deps, asked), asked.request, username, password);
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
      async (asked) => {
        const pair = await refresh(deps, originOf(deps, asked), asked.request);
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
      async (asked) => {
        const actor = await authenticateByEither(deps, asked.request);
        await logOut(deps, originOf(deps, { ...asked, actor }), actor);
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
      async (asked) => {
        await changePassword(deps, originOf(deps, asked), asked.actor, asked.body);
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
      async (asked) => {
        const { actor, params, body } = asked;
        await revokeLogin(deps, originOf(deps, asked), actor, params.loginId, body.currentPassword);
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
      async (asked) => {
        await revokeOtherLogins(
          deps,
          originOf(deps, asked),
          asked.actor,
          asked.body.currentPassword,
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

/** Profiles by the actor that is remembered for a login: an actor that changes is another one. */
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
