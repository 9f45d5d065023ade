import { Type } from "@sinclair/typebox";
import { Email, Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";

export const PersonName = Type.String({ ...Title, description: "Shown to others" });
/** As typed: never trimmed, never case-folded (OWASP ASVS 5, 6.2.5 and 6.2.8). */
export const NewPassword = Type.String({
  minLength: 8,
  maxLength: 128,
  description: "Any characters; kept as typed",
});
/** A password that is only compared, so any length that could have been stored is valid. */
const GivenPassword = Type.String({ maxLength: 128 });

export const SignUp = strict({
  email: Email,
  password: NewPassword,
  confirmPassword: NewPassword,
  name: Type.Optional(nullable(PersonName)),
});

export const SignIn = strict({
  username: Type.String({
    minLength: 1,
    maxLength: 254,
    normalise: "email",
    description: "The email address",
  }),
  password: GivenPassword,
});

export const PasswordChange = strict({ currentPassword: GivenPassword, newPassword: NewPassword });
export const PasswordProof = strict({ currentPassword: GivenPassword });

export const LoginId = strict({ loginId: Uuid });
export const Logins = Type.Array(
  strict({
    id: Uuid,
    createdAt: Instant,
    lastUsedAt: Instant,
    expiresAt: Instant,
    userAgent: nullable(Type.String({ maxLength: 512 })),
    address: nullable(Type.String({ maxLength: 64 })),
    isCurrent: Type.Boolean(),
  }),
  { maxItems: 10_000 },
);

const RoleSlug = Type.String({ maxLength: 50 });

export const User = strict({
  id: Uuid,
  name: nullable(PersonName),
  email: Email,
  isActive: Type.Boolean(),
  isSuperuser: Type.Boolean(),
  roleName: Type.String({ maxLength: 100 }),
  roleSlug: RoleSlug,
  createdAt: Instant,
  updatedAt: Instant,
});

export const UserAuth = strict({
  id: Uuid,
  name: nullable(PersonName),
  email: Email,
  isActive: Type.Boolean(),
  isSuperuser: Type.Boolean(),
  roleSlug: RoleSlug,
});
