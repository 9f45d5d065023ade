import { get, makePerson, PASSWORD, send, signInAs, write } from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const open = (path: string) => ({ method: "GET", path });
const fresh = (n: number) => ({
  email: `fresh-${crypto.randomUUID()}-${n}@example.com`,
  password: PASSWORD,
});

/** The system itself, signing in and out, accounts and roles. */
export const ACCOUNT_SCENARIOS: Scenario[] = [
  { operation: "Ping", request: () => open("/ping") },
  { operation: "GetLiveness", request: () => open("/health/live") },
  { operation: "GetReadiness", request: () => open("/health/ready") },
  { operation: "GetHealth", request: () => open("/health") },
  { operation: "GetOpenApi", request: () => open("/openapi.json") },
  { operation: "GetDocs", request: () => open("/docs") },
  { operation: "GetDocsStart", request: () => open("/docs/start.js") },
  { operation: "GetDocsStyle", request: () => open("/docs/swagger-ui.css") },
  { operation: "GetDocsScript", request: () => open("/docs/swagger-ui-bundle.js") },
  { operation: "ListPublicKeys", request: () => open("/.well-known/jwks.json") },
  {
    operation: "AccountRegister",
    request: (_fixtures, n) =>
      write({ cookie: "" }, "POST", "/access/signup", { ...fresh(n), confirmPassword: PASSWORD }),
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
      const person = await makePerson(testBed);
      await signInAs(testBed, person.email);
      return write(person, "DELETE", "/access/logins", { currentPassword: PASSWORD });
    },
  },
  {
    operation: "RevokeLogin",
    request: async (fixtures) => {
      const person = await makePerson(fixtures.testBed);
      await signInAs(fixtures.testBed, person.email);
      const logins = await send<{ id: string; isCurrent: boolean }[]>(
        fixtures,
        get(person, "/access/logins"),
      );
      const other = logins.find(({ isCurrent }) => !isCurrent);
      return write(person, "DELETE", `/access/logins/${other?.id}`, { currentPassword: PASSWORD });
    },
  },
  { operation: "CreateUser", request: ({ admin }, n) => write(admin, "POST", "/users", fresh(n)) },
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
