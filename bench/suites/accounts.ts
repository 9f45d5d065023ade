import {
  get,
  made,
  makePerson,
  PASSWORD,
  type Scenario,
  signInAs,
  write,
} from "../testbed/fixtures.ts";

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
    request: (_world, n) =>
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
    request: async ({ stand, athlete }) =>
      write({ cookie: await signInAs(stand, athlete.email) }, "POST", "/access/refresh-jwt"),
  },
  {
    operation: "AccountLogout",
    request: async ({ stand, athlete }) =>
      write({ cookie: await signInAs(stand, athlete.email) }, "POST", "/access/logout"),
  },
  {
    operation: "AccountUpdatePwd",
    request: async ({ stand }, n) => {
      const body = { currentPassword: PASSWORD, newPassword: `another long password ${n}` };
      return write(await makePerson(stand), "PATCH", "/access/password-update", body);
    },
  },
  { operation: "AccountProfile", request: ({ athlete }) => get(athlete, "/access/me") },
  { operation: "ListLogins", request: ({ trainer }) => get(trainer, "/access/logins") },
  {
    operation: "RevokeOtherLogins",
    request: async ({ stand }) => {
      const person = await makePerson(stand);
      await signInAs(stand, person.email);
      return write(person, "DELETE", "/access/logins", { currentPassword: PASSWORD });
    },
  },
  {
    operation: "RevokeLogin",
    request: async (world) => {
      const person = await makePerson(world.stand);
      await signInAs(world.stand, person.email);
      const logins = await made<{ id: string; isCurrent: boolean }[]>(
        world,
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
    request: async ({ stand, admin }) =>
      write(admin, "DELETE", `/users/${(await makePerson(stand)).id}`),
  },
  {
    operation: "AssignRole",
    request: async ({ stand, admin }) => {
      const { email } = await makePerson(stand);
      return write(admin, "PATCH", `/roles/${encodeURIComponent(email)}/assign`, {
        roleSlug: "fitness-trainer",
      });
    },
  },
  {
    operation: "RevokeRole",
    request: async ({ stand, admin }) => {
      const { email } = await makePerson(stand, "fitness-trainer");
      return write(admin, "PATCH", `/roles/${encodeURIComponent(email)}/revoke`, {
        roleSlug: "fitness-trainer",
      });
    },
  },
  { operation: "ListAuditEvents", request: ({ admin }) => get(admin, "/audit") },
];
