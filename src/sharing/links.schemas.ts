import { type Static, Type } from "@sinclair/typebox";
import { Difficulty } from "../exercises/exercises.schemas.ts";
import { Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";
import { PlanRoutine, Weeks } from "../plans/plans.schemas.ts";
import { Description, RoutineExercise } from "../routines/routines.schemas.ts";

export const NewLink = strict({ routineId: Type.Optional(Uuid), planId: Type.Optional(Uuid) });
export type NewLink = Static<typeof NewLink>;

const Token = Type.String({ minLength: 22, maxLength: 22, pattern: "^[A-Za-z0-9_-]+$" });
const linkFields = {
  id: Uuid,
  routineId: nullable(Uuid),
  planId: nullable(Uuid),
  name: Title,
  createdAt: Instant,
};
export const Link = strict(linkFields);
export type Link = Static<typeof Link>;
export const CreatedLink = strict({
  ...linkFields,
  token: Type.String({ ...Token, description: "Told this once only" }),
  path: Type.String({ maxLength: 100, description: "Where anyone reads it" }),
});
export const Links = Type.Array(Link, { maxItems: 1000, description: "The latest first" });
export const LinkId = strict({ linkId: Uuid });
export const LinkToken = strict({ token: Token });

const LinkedPlan = strict({
  id: Uuid,
  name: Title,
  description: nullable(Description),
  difficulty: nullable(Difficulty),
  weeks: nullable(Weeks),
  updatedAt: Instant,
  routines: Type.Array(PlanRoutine, { maxItems: 500 }),
});
const LinkedRoutine = strict({
  id: Uuid,
  name: Title,
  description: nullable(Description),
  updatedAt: Instant,
  exercises: Type.Array(RoutineExercise, {
    maxItems: 100,
    description: "The owner's own ones by name only",
  }),
});
export const Linked = strict({
  plan: nullable(LinkedPlan),
  routines: Type.Array(LinkedRoutine, {
    maxItems: 500,
    description: "The routine, or all of the plan, by name",
  }),
});
