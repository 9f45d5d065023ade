import { type Static, Type } from "@sinclair/typebox";
import { NewPassword, PersonName } from "../access/access.schemas.ts";
import { pageFields } from "../http/page.ts";
import { AwareInstant, choice, Email, nullable, strict, Uuid } from "../http/shapes.ts";

export const NewAccount = strict({
  name: Type.Optional(nullable(PersonName)),
  email: Email,
  password: NewPassword,
  isActive: Type.Optional(Type.Boolean({ default: true })),
  isSuperuser: Type.Optional(Type.Boolean({ default: false })),
});

export const AccountPatch = strict({
  name: Type.Optional(nullable(PersonName)),
  email: Type.Optional(Email),
  password: Type.Optional(NewPassword),
  isActive: Type.Optional(Type.Boolean()),
  isSuperuser: Type.Optional(Type.Boolean()),
});
export type AccountPatch = Static<typeof AccountPatch>;

export const UserId = strict({ userId: Uuid });
export const RoleHolder = strict({ email: Email });
export const RoleChange = strict({ roleSlug: choice(["superuser", "fitness-trainer"]) });
export const Message = strict({ message: Type.String({ maxLength: 500 }) });

export const ListUsers = strict({
  searchString: Type.Optional(
    Type.String({ maxLength: 254, normalise: "trim", description: "Part of a name or address" }),
  ),
  ...pageFields,
  orderBy: Type.Optional(choice(["name", "email", "createdAt"], { default: "createdAt" })),
  sortOrder: Type.Optional(choice(["asc", "desc"], { default: "asc" })),
  isActive: Type.Optional(Type.Boolean()),
  createdAfter: Type.Optional(AwareInstant),
  createdBefore: Type.Optional(AwareInstant),
});
