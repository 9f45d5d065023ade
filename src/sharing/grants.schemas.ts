import { Type } from "@sinclair/typebox";
import { choice, Email, Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";

const GrantAccess = choice(["read", "write"]);

export const NewGrant = strict({
  routineId: Type.Optional(Uuid),
  planId: Type.Optional(Uuid),
  email: Email,
  access: GrantAccess,
});
export const GrantPatch = strict({ access: GrantAccess });
export const GrantId = strict({ grantId: Uuid });

export const Person = strict({
  id: Uuid,
  name: nullable(Type.String({ maxLength: 100 })),
  email: Type.String({ maxLength: 254 }),
});
export const Grant = strict({
  id: Uuid,
  owner: Person,
  grantee: Person,
  routineId: nullable(Uuid),
  planId: nullable(Uuid),
  name: Title,
  access: GrantAccess,
  createdAt: Instant,
});
export const Grants = Type.Array(Grant, { maxItems: 1000 });
export const ListGrants = strict({
  direction: Type.Optional(
    choice(["given", "received"], { default: "given", description: "By whom or to whom" }),
  ),
});
