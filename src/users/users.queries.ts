import { and, asc, count, desc, eq, gte, lte, sql } from "drizzle-orm";
import type { Db } from "#db/client.ts";
import { escapeLike, instantSql } from "#db/fragments.ts";
import { roles } from "#db/schema/roles.ts";
import { users } from "#db/schema/users.ts";
import type { PublicUser } from "../access/accounts.queries.ts";
import type { PageWindow } from "../http/page.ts";
import type { RoleSlug } from "../permissions/actor.ts";

/** A public account, and whether it is the system administrator's, which only operators change. */
export type ManagedUser = PublicUser & { isSystemAdmin: boolean };

const publicColumns = {
  id: users.id,
  name: users.name,
  email: users.email,
  isActive: users.isActive,
  isSuperuser: sql<boolean>`${roles.slug} = 'superuser'`,
  roleName: roles.name,
  roleSlug: sql<RoleSlug>`${roles.slug}`,
  createdAt: sql<string>`${sql.raw(instantSql("users.created_at"))}`,
  updatedAt: sql<string>`${sql.raw(instantSql("users.updated_at"))}`,
};

/** The account with that id or address. */
export async function findUser(
  db: Db,
  by: { id: string } | { email: string },
): Promise<ManagedUser | undefined> {
  const [user] = await db.orm
    .select({ ...publicColumns, isSystemAdmin: users.isSystemAdmin })
    .from(users)
    .innerJoin(roles, eq(roles.id, users.roleId))
    .where("id" in by ? eq(users.id, by.id) : eq(sql`lower(${users.email})`, by.email));
  return user;
}

/**
 * Locks the account `userId` and all active superusers until the transaction ends, so that
 * concurrent changes of roles are serialized. Locks by id, so that two callers cannot deadlock.
 * Returns the ids of the superusers; undefined if the account was deleted.
 */
export async function lockSuperusers(db: Db, userId: string): Promise<string[] | undefined> {
  const locked = await db.sql<{ id: string; isSuperuser: boolean }[]>`
    select users.id, users.is_active and roles.slug = 'superuser' as "isSuperuser"
    from users join roles on roles.id = users.role_id
    where users.id = ${userId} or (users.is_active and roles.slug = 'superuser')
    order by users.id for update of users`;
  if (!locked.some(({ id }) => id === userId)) return undefined;
  return locked.filter(({ isSuperuser }) => isSuperuser).map(({ id }) => id);
}

export type UserChanges = {
  name?: string | null;
  email?: string;
  passwordHash?: string;
  isActive?: boolean;
  roleSlug?: RoleSlug;
};

/** Writes the given fields. Violates `users_email_unique` if the address is taken. */
export async function updateUser(
  db: Db,
  userId: string,
  { roleSlug, ...changes }: UserChanges,
): Promise<void> {
  const roleId = roleSlug
    ? sql`(select ${roles.id} from ${roles} where ${roles.slug} = ${roleSlug})`
    : undefined;
  await db.orm
    .update(users)
    .set({
      ...changes,
      ...(roleId ? { roleId: roleId as unknown as number } : {}),
      updatedAt: sql`now()`,
      version: sql`${users.version} + 1`,
    })
    .where(eq(users.id, userId));
}

/** Deletes an account and, through foreign keys, everything it owned. */
export async function deleteUser(db: Db, userId: string): Promise<void> {
  await db.sql`delete from users where id = ${userId}`;
}

export type UserFilter = {
  searchString?: string;
  isActive?: boolean;
  roleSlug?: string;
  createdAfter?: string;
  createdBefore?: string;
  orderBy?: "name" | "email" | "createdAt";
  sortOrder?: "asc" | "desc";
};

/**
 * One page of the accounts that match, and their total. In the requested order: accounts without a
 * name last, ties by id.
 */
export async function listUsers(
  db: Db,
  filter: UserFilter,
  { limit, offset }: PageWindow,
): Promise<{ items: PublicUser[]; total: number }> {
  const searchText = sql`search_form(coalesce(${users.name}, '') || ' ' || ${users.email})`;
  const where = and(
    filter.searchString
      ? sql`${searchText} like '%' || search_form(${escapeLike(filter.searchString)}) || '%'`
      : undefined,
    filter.isActive === undefined ? undefined : eq(users.isActive, filter.isActive),
    filter.roleSlug === undefined ? undefined : eq(roles.slug, filter.roleSlug),
    filter.createdAfter === undefined
      ? undefined
      : gte(users.createdAt, sql`${filter.createdAfter}::timestamptz`),
    filter.createdBefore === undefined
      ? undefined
      : lte(users.createdAt, sql`${filter.createdBefore}::timestamptz`),
  );
  const key = { name: sql`lower(${users.name})`, email: users.email, createdAt: users.createdAt }[
    filter.orderBy ?? "createdAt"
  ];
  const order = filter.sortOrder === "desc" ? desc : asc;
  const items = await db.orm
    .select(publicColumns)
    .from(users)
    .innerJoin(roles, eq(roles.id, users.roleId))
    .where(where)
    .orderBy(sql`${key} is null`, order(key), order(users.id))
    .limit(limit)
    .offset(offset);
  const [totals] = await db.orm
    .select({ total: count() })
    .from(users)
    .innerJoin(roles, eq(roles.id, users.roleId))
    .where(where);
  return { items, total: totals?.total ?? 0 };
}

/** Inserts a role; false if there is one with that slug. */
export async function insertRole(db: Db, slug: string, name: string): Promise<boolean> {
  const inserted = await db.sql`
    insert into roles (slug, name) values (${slug}, ${name}) on conflict (slug) do nothing`;
  return inserted.count === 1;
}

/** The slugs of all roles, in order. */
export async function listRoleSlugs(db: Db): Promise<RoleSlug[]> {
  const roleRows = await db.sql<{ slug: RoleSlug }[]>`select slug from roles order by slug`;
  return roleRows.map(({ slug }) => slug);
}
