import { type Static, Type } from "@sinclair/typebox";
import { choice, Email, Instant, nullable, strict, Uuid } from "../http/shapes.ts";
import { Person } from "./grants.schemas.ts";

const SCOPES = ["read_history", "write_plans"] as const;
const Scopes = Type.Array(choice([...SCOPES]), {
  minItems: 1,
  maxItems: SCOPES.length,
  uniqueItems: true,
  description:
    "read_history: workouts, progress and own exercises; write_plans: plans and routines",
});
export type Scopes = Static<typeof Scopes>;

export const NewClient = strict({ email: Email, scopes: Scopes });
export type NewClient = Static<typeof NewClient>;
export const Acceptance = strict(
  { scopes: Type.Optional(Scopes) },
  { description: "Absent: all that was asked for" },
);
export const ScopesChange = strict({ scopes: Scopes });

/** The id of a row of `clients`, not of a user. */
export const ClientId = strict({ clientId: Uuid });

const Status = choice(["invited", "accepted", "ended"]);
const AllowedScopes = Type.Array(choice([...SCOPES]), {
  maxItems: SCOPES.length,
  description: "None before it is accepted",
});
export const Client = strict({
  id: Uuid,
  status: Status,
  trainer: Person,
  client: Person,
  askedScopes: Scopes,
  scopes: AllowedScopes,
  invitedAt: Instant,
  acceptedAt: nullable(Instant),
  endedAt: nullable(Instant),
});
export const Clients = Type.Array(Client, { maxItems: 1000, description: "The latest first" });
export const ListClients = strict({ status: Type.Optional(Status) });
export type ListClients = Static<typeof ListClients>;
