import { User } from "../access/access.schemas.ts";
import { type OriginDeps, originOf } from "../audit/origin.ts";
import { Page, pageWindow } from "../http/page.ts";
import { created, noContent, ok } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { type UserDeps, userNotFound } from "./guards.service.ts";
import { assignRole, revokeRole } from "./roles.service.ts";
import { findUser, listUsers } from "./users.queries.ts";
import {
  AccountPatch,
  ListUsers,
  Message,
  NewAccount,
  RoleChange,
  RoleHolder,
  UserId,
} from "./users.schemas.ts";
import { changeUser, createUser, publicUserOf, removeUser } from "./users.service.ts";

const tag = "User Accounts";
const access = "superuser";
const guarded = {
  403: "Not a superuser, or the account may not be changed like this",
  404: "There is no such account",
  409: "The address is taken, or nobody would be a superuser any more",
};

export function userRoutes(deps: UserDeps & OriginDeps): Operation[] {
  return [
    operation(
      "POST",
      "/api/v1/users",
      {
        id: "CreateUser",
        tag,
        summary: "Create an account",
        access,
        body: NewAccount,
        answers: { 201: User },
        problems: { 409: "The address is taken" },
      },
      async (input) => {
        const { isSuperuser, name = null, ...user } = input.body;
        const roleSlug = isSuperuser ? "superuser" : "application-access";
        return created(await createUser(deps, originOf(deps, input), { ...user, name, roleSlug }));
      },
    ),
    operation(
      "GET",
      "/api/v1/users",
      {
        id: "ListUsers",
        tag,
        summary: "List accounts",
        access,
        query: ListUsers,
        answers: { 200: Page(User) },
      },
      async ({ query }) => {
        const window = pageWindow(query);
        return ok({ ...window, ...(await listUsers(deps.db, query, window)) });
      },
    ),
    operation(
      "GET",
      "/api/v1/users/:userId",
      {
        id: "GetUser",
        tag,
        summary: "Get one account",
        access,
        params: UserId,
        answers: { 200: User },
        problems: { 404: "There is no such account" },
      },
      async ({ params }) => {
        const user = await findUser(deps.db, { id: params.userId });
        if (!user) throw userNotFound();
        return ok(publicUserOf(user));
      },
    ),
    operation(
      "PATCH",
      "/api/v1/users/:userId",
      {
        id: "UpdateUser",
        isDetached: true,
        tag,
        summary: "Change an account",
        access,
        params: UserId,
        body: AccountPatch,
        answers: { 200: User },
        problems: guarded,
      },
      async (input) =>
        ok(await changeUser(deps, originOf(deps, input), input.params.userId, input.body)),
    ),
    operation(
      "DELETE",
      "/api/v1/users/:userId",
      {
        id: "DeleteUser",
        isDetached: true,
        tag,
        summary: "Delete an account and what it owned",
        access,
        params: UserId,
        answers: { 204: null },
        problems: guarded,
      },
      async (input) => {
        await removeUser(deps, originOf(deps, input), input.params.userId);
        return noContent();
      },
    ),
  ];
}

export function roleRoutes(deps: UserDeps & OriginDeps): Operation[] {
  const change = (verb: "assign" | "revoke", id: string, summary: string, act: typeof assignRole) =>
    operation(
      "PATCH",
      `/api/v1/roles/:email/${verb}`,
      {
        id,
        isDetached: true,
        tag,
        summary,
        access,
        params: RoleHolder,
        body: RoleChange,
        answers: { 200: Message },
        problems: guarded,
      },
      async (input) => {
        const { params, body } = input;
        const message = await act(deps, originOf(deps, input), params.email, body.roleSlug);
        return ok({ message });
      },
    );
  return [
    change("assign", "AssignRole", "Give an account a role", assignRole),
    change(
      "revoke",
      "RevokeRole",
      "Take a role from an account, which is then an ordinary one",
      revokeRole,
    ),
  ];
}
