import { type Static, Type } from "@sinclair/typebox";
import { Difficulty } from "../exercises/exercises.schemas.ts";
import { Instant, nullable, strict, Uuid } from "../http/shapes.ts";
import { Access, Description, listFields, Sharing, Title } from "../routines/routines.schemas.ts";

const Day = Type.Integer({ minimum: 1, maximum: 366, description: "Day of the plan, from 1" });
const Weeks = Type.Integer({ minimum: 1, maximum: 104, description: "How long it is meant to be followed" });

export const NewPlan = strict({
  id: Type.Optional(Uuid),
  name: Title,
  description: Type.Optional(nullable(Description)),
  difficulty: Type.Optional(nullable(Difficulty)),
  sharing: Type.Optional(Sharing),
  weeks: Type.Optional(nullable(Weeks)),
  routines: Type.Array(strict({ routineId: Uuid, day: Day }), {
    maxItems: 500,
    description: "Routines of the owner's, on their days; several of one day in their order",
  }),
});
export type NewPlan = Static<typeof NewPlan>;

const { id: _id, ...replaceable } = NewPlan.properties;
export const PlanPatch = Type.Partial(strict(replaceable), { additionalProperties: false });
export type PlanPatch = Static<typeof PlanPatch>;

export const ClonePlan = strict({ id: Type.Optional(Uuid), name: Type.Optional(Title) });

const planFields = {
  id: Uuid,
  ownerId: Uuid,
  access: Access,
  name: Title,
  description: nullable(Description),
  difficulty: nullable(Difficulty),
  sharing: Sharing,
  weeks: nullable(Weeks),
  createdAt: Instant,
  updatedAt: Instant,
  version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
};
const PlanRoutine = strict({
  id: Uuid,
  day: Day,
  position: Type.Integer({ minimum: 1, maximum: 500 }),
  routineId: Uuid,
  routineName: Title,
});
export const Plan = strict({ ...planFields, routines: Type.Array(PlanRoutine, { maxItems: 500 }) });
export const PlanSummary = strict({ ...planFields, routineCount: Type.Integer({ minimum: 0, maximum: 500 }) });
export const PlanId = strict({ planId: Uuid });
export const ListPlans = strict(listFields);
