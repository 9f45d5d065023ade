import { type Static, Type } from "@sinclair/typebox";
import { Difficulty } from "../exercises/exercises.schemas.ts";
import { Instant, nullable, strict, Title, Uuid } from "../http/shapes.ts";
import { Access, Description, listFields, Sharing } from "../routines/routines.schemas.ts";

const Day = Type.Integer({ minimum: 1, maximum: 366, description: "Day of the plan, from 1" });
export const Weeks = Type.Integer({
  minimum: 1,
  maximum: 104,
  description: "How long it is meant to be followed",
});

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

export const Assignment = strict({
  clientIds: Type.Array(Uuid, {
    minItems: 1,
    maxItems: 100,
    uniqueItems: true,
    description: "Ids of `Client`",
  }),
});
export const Assignments = Type.Array(strict({ clientId: Uuid, planId: Uuid }), {
  maxItems: 100,
  description: "The copy of each client, in the order given",
});

const Version = Type.Integer({ minimum: 1, maximum: 2_147_483_647 });
const AssignedFrom = strict(
  { planId: nullable(Uuid), version: Version, trainerId: nullable(Uuid) },
  {
    description:
      "Of a copy that a trainer assigned, for its owner and that trainer: what it was copied from",
  },
);
const planFields = {
  id: Uuid,
  ownerId: Uuid,
  access: Access,
  name: Title,
  description: nullable(Description),
  difficulty: nullable(Difficulty),
  sharing: Sharing,
  weeks: nullable(Weeks),
  assignedFrom: nullable(AssignedFrom),
  createdAt: Instant,
  updatedAt: Instant,
  version: Version,
};
export const PlanRoutine = strict({
  id: Uuid,
  day: Day,
  position: Type.Integer({ minimum: 1, maximum: 500 }),
  routineId: Uuid,
  routineName: Title,
});
export const Plan = strict({ ...planFields, routines: Type.Array(PlanRoutine, { maxItems: 500 }) });
export const PlanSummary = strict({
  ...planFields,
  routineCount: Type.Integer({ minimum: 0, maximum: 500 }),
});
export const PlanId = strict({ planId: Uuid });
export const ListPlans = strict(listFields);
