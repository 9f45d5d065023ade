import { PASSWORD } from "../testbed/accounts.ts";
import { get, makePerson, send, signInAs, write } from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const anonymous = (path: string) => ({ method: "GET", path });
const newAccount = (n: number) => ({
  email: `fresh-${crypto.randomUUID()}-${n}@example.com`,
  password: PASSWORD,
});

/** Health, documentation, authentication, accounts and roles. */
export const ACCOUNT_SCENARIOS: Scenario[] = [
  { operation: "Ping", request: () => anonymous("/ping") },
  { operation: "GetLiveness", request: () => anonymous("/health/live") },
  { operation: "GetReadiness", request: () => anonymous("/health/ready") },
  { operation: "GetHealth", request: () => anonymous("/health") },
  { operation: "GetOpenApi", request: () => anonymous("/openapi.json") },
  { operation: "GetDocs", request: () => anonymous("/docs") },
  { operation: "GetDocsStart", request: () => anonymous("/docs/start.js") },
  { operation: "GetDocsStyle", request: () => anonymous("/docs/swagger-ui.css") },
  { operation: "GetDocsScript", request: () => anonymous("/docs/swagger-ui-bundle.js") },
  { operation: "ListPublicKeys", request: () => anonymous("/.well-known/jwks.json") },
  {
    operation: "AccountRegister",
    request: (_fixtures, n) =>
      write({ cookie: "" }, "POST", "/access/signup", {
        ...newAccount(n),
        confirmPassword: PASSWORD,
      }),
  },
  {
    operation: "AccountLogin",
    request: ({ athlete }) =>
      write({ cookie: "" }, "POST", "/access/signin", {
        username: athlete.email,
        password: PASSWORD,
      }),
  },
  {
    operation: "RefreshAccessToken",
    request: async ({ testBed, athlete }) =>
      write({ cookie: await signInAs(testBed, athlete.email) }, "POST", "/access/refresh-jwt"),
  },
  {
    operation: "AccountLogout",
    request: async ({ testBed, athlete }) =>
      write({ cookie: await signInAs(testBed, athlete.email) }, "POST", "/access/logout"),
  },
  {
    operation: "AccountUpdatePwd",
    request: async ({ testBed }, n) => {
      const body = { currentPassword: PASSWORD, newPassword: `another long password ${n}` };
      return write(await makePerson(testBed), "PATCH", "/access/password-update", body);
    },
  },
  { operation: "AccountProfile", request: ({ athlete }) => get(athlete, "/access/me") },
  { operation: "ListLogins", request: ({ trainer }) => get(trainer, "/access/logins") },
  {
    operation: "RevokeOtherLogins",
    request: async ({ testBed }) => {
      const account = await makePerson(testBed);
      await signInAs(testBed, account.email);
      return write(account, "DELETE", "/access/logins", { currentPassword: PASSWORD });
    },
  },
  {
    operation: "RevokeLogin",
    request: async (fixtures) => {
      const account = await makePerson(fixtures.testBed);
      await signInAs(fixtures.testBed, account.email);
      const logins = await send<{ id: string; isCurrent: boolean }[]>(
        fixtures,
        get(account, "/access/logins"),
      );
      const other = logins.find(({ isCurrent }) => !isCurrent);
      return write(account, "DELETE", `/access/logins/${other?.id}`, { currentPassword: PASSWORD });
    },
  },
  {
    operation: "CreateUser",
    request: ({ admin }, n) => write(admin, "POST", "/users", newAccount(n)),
  },
  { operation: "ListUsers", request: ({ admin }) => get(admin, "/users") },
  { operation: "GetUser", request: ({ admin, athlete }) => get(admin, `/users/${athlete.id}`) },
  {
    operation: "UpdateUser",
    request: ({ admin, athlete }, n) =>
      write(admin, "PATCH", `/users/${athlete.id}`, { name: `Name ${n}` }),
  },
  {
    operation: "DeleteUser",
    request: async ({ testBed, admin }) =>
      write(admin, "DELETE", `/users/${(await makePerson(testBed)).id}`),
  },
  {
    operation: "AssignRole",
    request: async ({ testBed, admin }) => {
      const { email } = await makePerson(testBed);
      return write(admin, "PATCH", `/roles/${encodeURIComponent(email)}/assign`, {
        roleSlug: "fitness-trainer",
      });
    },
  },
  {
    operation: "RevokeRole",
    request: async ({ testBed, admin }) => {
      const { email } = await makePerson(testBed, "fitness-trainer");
      return write(admin, "PATCH", `/roles/${encodeURIComponent(email)}/revoke`, {
        roleSlug: "fitness-trainer",
      });
    },
  },
  { operation: "ListAuditEvents", request: ({ admin }) => get(admin, "/audit") },
];
