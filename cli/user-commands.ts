import { randomBytes } from "node:crypto";
import { type Static, Type } from "@sinclair/typebox";
import type { CAC, Command } from "cac";
import { printRows } from "#lib/command-line/output.ts";
import { OperatorError } from "#lib/errors.ts";
import { PersonName } from "#src/access/access.schemas.ts";
import { createPasswords } from "#src/access/passwords.ts";
import { withInvalidations } from "#src/app/database.ts";
import { listAuditEvents } from "#src/audit/audit.queries.ts";
import { OPERATOR } from "#src/audit/origin.ts";
import { type Config, readConfig } from "#src/config/config.ts";
import { normaliseEmail } from "#src/http/formats.ts";
import { checkInput } from "#src/http/input.ts";
import { Email, strict, Title } from "#src/http/shapes.ts";
import type { RoleSlug } from "#src/permissions/actor.ts";
import { type UserDeps, userNotFound } from "#src/users/guards.service.ts";
import { endLoginsOf, listLoginsOf } from "#src/users/operators.service.ts";
import { assignRole, revokeRole } from "#src/users/roles.service.ts";
import { findUser, insertRole, listRoleSlugs, listUsers } from "#src/users/users.queries.ts";
import { changeUser, createUser } from "#src/users/users.service.ts";
import { confirm, readNewPassword } from "./prompt.ts";

type Flags = {
  json?: boolean;
  csv?: boolean;
  yes?: boolean;
  passwordStdin?: boolean;
  name?: string;
};

/** Commands on accounts and roles. They call the services of the API; the audit names an operator. */
export function registerUserCommands(cli: CAC): void {
  creating(cli.command("user:create <email>", "Create an ordinary account")).action(
    (email: string, flags: Flags) => create(email, flags, "application-access"),
  );
  creating(
    cli.command(
      "user:create-admin <email>",
      "Create the system administrator, which no superuser can change",
    ),
  ).action((email: string, flags: Flags) => create(email, flags, "superuser", true));
  listing(cli.command("user:list", "List accounts"))
    .option("--search <text>", "Only those whose name or email contains this")
    .option("--role <slug>", "Only those with this role")
    .option("--active <yes|no>", "Only active or only inactive ones")
    .action(list);
  cli
    .command("user:promote <email>", "Give an account the superuser role")
    .action((email: string) =>
      say((deps) => assignRole(deps, OPERATOR, normaliseEmail(email), "superuser")),
    );
  destructive(cli.command("user:demote <email>", "Take the superuser role from an account")).action(
    async (email: string, flags: Flags) => {
      await confirm(`Take the superuser role from ${email}?`, { yes: flags.yes ?? false });
      await say((deps) => revokeRole(deps, OPERATOR, normaliseEmail(email), "superuser"));
    },
  );
  destructive(
    cli.command("user:deactivate <email>", "Deactivate an account and end its logins"),
  ).action(async (email: string, flags: Flags) => {
    await confirm(`Deactivate ${email} and end its logins?`, { yes: flags.yes ?? false });
    await change(email, { isActive: false }, "Deactivated");
  });
  cli
    .command("user:activate <email>", "Activate an account; its old logins stay ended")
    .action((email: string) => change(email, { isActive: true }, "Activated"));
  destructive(
    withPassword(
      cli.command("user:reset-password <email>", "Set a new password and end every login"),
    ),
  ).action(resetPassword);
  listing(cli.command("user:logins <email>", "List an account's live logins")).action(
    (email: string, flags: Flags) =>
      withUsers(async (deps) =>
        printRows(await listLoginsOf(deps.db, normaliseEmail(email)), flags),
      ),
  );
  destructive(cli.command("user:revoke-logins <email>", "End every login of an account")).action(
    async (email: string, flags: Flags) => {
      await confirm(`End every login of ${email}?`, { yes: flags.yes ?? false });
      await say(
        async (deps) =>
          `Ended ${await endLoginsOf(deps, OPERATOR, normaliseEmail(email))} logins of ${email}`,
      );
    },
  );
  cli
    .command("role:assign <email> <slug>", "Give an account a role")
    .action((email: string, slug: string) =>
      say(async (deps) =>
        assignRole(deps, OPERATOR, normaliseEmail(email), await roleOf(deps, slug)),
      ),
    );
  destructive(cli.command("role:revoke <email> <slug>", "Take a role from an account")).action(
    async (email: string, slug: string, flags: Flags) => {
      await confirm(`Take the role ${slug} from ${email}?`, { yes: flags.yes ?? false });
      await say(async (deps) =>
        revokeRole(deps, OPERATOR, normaliseEmail(email), await roleOf(deps, slug)),
      );
    },
  );
  cli.command("roles:create <slug> <name>", "Create a role").action((slug: string, name: string) =>
    say(async ({ db }) => {
      const role = checkInput<Static<typeof NewRole>>(NewRole, { slug, name: String(name) });
      return (await insertRole(db, role.slug, role.name))
        ? `Created the role ${slug}`
        : `There is a role ${slug} already`;
    }),
  );
  listing(cli.command("audit:list", "List security events, newest first"))
    .option("--event <name>", "Only events of this name")
    .option("--limit <n>", "How many at most", { default: 50 })
    .action(({ event, limit, ...flags }: Flags & { event?: string; limit: number }) =>
      withUsers(async ({ db }) => {
        const window = { limit, offset: 0 };
        printRows((await listAuditEvents(db, event ? { event } : {}, window)).items, flags);
      }),
    );
}

const withPassword = (command: Command) =>
  command.option(
    "--password-stdin",
    "Read the password from standard input instead of asking for it",
  );
const creating = (command: Command) =>
  withPassword(command).option("--name <name>", "The name that others see");
const destructive = (command: Command) => command.option("--yes", "Do not ask");
const listing = (command: Command) =>
  command.option("--json", "Print JSON").option("--csv", "Print CSV");

const NewRole = strict({ slug: Type.String({ pattern: "^[a-z][a-z0-9-]{1,49}$" }), name: Title });
const NewPerson = strict({ email: Email, name: Type.Optional(PersonName) });

async function create(email: string, flags: Flags, roleSlug: RoleSlug, isSystemAdmin = false) {
  const person = checkInput<Static<typeof NewPerson>>(NewPerson, {
    email,
    ...(flags.name ? { name: flags.name } : {}),
  });
  const password = await readNewPassword({ fromStdin: flags.passwordStdin ?? false });
  await withUsers(async (deps) => {
    const user = await createUser(deps, OPERATOR, {
      email: person.email,
      name: person.name ?? null,
      password,
      roleSlug,
      isSystemAdmin,
    });
    console.log(`Created ${user.email} (${user.id}) with the role ${user.roleSlug}`);
  });
}

async function list(flags: Flags & { search?: string; role?: string; active?: string }) {
  if (flags.active !== undefined && !["yes", "no"].includes(flags.active))
    throw new OperatorError("--active takes yes or no", 2);
  const filter = {
    ...(flags.search ? { searchString: flags.search } : {}),
    ...(flags.role ? { roleSlug: flags.role } : {}),
    ...(flags.active ? { isActive: flags.active === "yes" } : {}),
  };
  await withUsers(async ({ db }) => {
    const { items } = await listUsers(db, filter, { limit: 100_000, offset: 0 });
    printRows(items, { ...flags, empty: "No such accounts" });
  });
}

async function resetPassword(email: string, flags: Flags) {
  await confirm(`Set a new password for ${email} and end its logins?`, { yes: flags.yes ?? false });
  // Without a terminal and --password-stdin, a random password is generated and printed.
  const isGenerated = !flags.passwordStdin && !process.stdin.isTTY;
  const password = isGenerated
    ? randomBytes(18).toString("base64url")
    : await readNewPassword({ fromStdin: flags.passwordStdin ?? false });
  await change(email, { password }, "Set a new password for");
  if (isGenerated) console.log(password);
}

const change = (email: string, changes: Parameters<typeof changeUser>[3], did: string) =>
  say(async (deps) => {
    const user = await findUser(deps.db, { email: normaliseEmail(email) });
    if (!user) throw userNotFound();
    await changeUser(deps, OPERATOR, user.id, changes);
    return `${did} ${user.email}`;
  });

const say = (work: (deps: UserDeps) => Promise<string>) =>
  withUsers(async (deps) => console.log(await work(deps)));

async function roleOf({ db }: UserDeps, slug: string): Promise<RoleSlug> {
  const slugs = await listRoleSlugs(db);
  const role = slugs.find((candidate) => candidate === slug);
  if (!role) throw new OperatorError(`There is no role ${slug}; there are ${slugs.join(", ")}`, 2);
  return role;
}

/** Runs `work` with the dependencies of the services. */
function withUsers(work: (deps: UserDeps) => Promise<void>): Promise<void> {
  const config: Config = readConfig(process.env);
  return withInvalidations(config, (db, invalidations) =>
    work({ db, passwords: createPasswords(config), invalidations }),
  );
}
