import { type Static, Type } from "@sinclair/typebox";
import { Exercise } from "../exercises/exercises.schemas.ts";
import { choice, nullable, strict, Uuid } from "../http/shapes.ts";
import { Plan } from "../plans/plans.schemas.ts";
import { Routine } from "../routines/routines.schemas.ts";
import { Workout } from "../workouts/workouts.schemas.ts";

export const KINDS = ["exercise", "routine", "plan", "workout"] as const;
export type Kind = (typeof KINDS)[number];

const Kind = choice([...KINDS]);
const Version = Type.Integer({ minimum: 1, maximum: 2_147_483_647 });
const State = nullable(Type.Union([Exercise, Routine, Plan, Workout]));

export const ChangesQuery = strict({
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: "The last answer's nextCursor, good for 180 days; absent: from the start",
    }),
  ),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
});
export type ChangesQuery = Static<typeof ChangesQuery>;

export const Changes = strict({
  items: Type.Array(
    strict({
      kind: Kind,
      id: Uuid,
      state: Type.Union([...State.anyOf], { description: "Null: it is gone" }),
    }),
    {
      maxItems: 100,
      description: "In the order in which they were committed; each thing at its latest change",
    },
  ),
  nextCursor: Type.String({ maxLength: 100, description: "Ask with it again, now or later" }),
  hasMore: Type.Boolean(),
});

const NewState = Type.Object(
  {},
  {
    additionalProperties: true,
    description:
      "All of it, as creating it takes it, without the id; of a workout every exercise and set with its id. What is absent is cleared",
  },
);

export const SyncItem = strict({
  kind: Kind,
  id: Uuid,
  baseVersion: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 2_147_483_647,
      description: "The version that was changed; null: it is new",
    }),
  ),
  state: Type.Union([NewState, Type.Null()], { description: "Null deletes" }),
});
export type SyncItem = Static<typeof SyncItem>;
/** The schema of its kind checks the state. */
SyncItem.checkedLater = /^\/state\//;

export const SyncBatch = strict({
  changes: Type.Array(SyncItem, {
    maxItems: 100,
    description:
      "Done in their order. What is wrong with one is said of it, and the others are done",
  }),
});
/** Changes are checked one by one, so that a fault in one does not refuse the others. */
SyncBatch.checkedLater = /^\/changes\/\d+(\/|$)/;

export const SyncAnswer = strict({
  results: Type.Array(
    strict({
      kind: nullable({ ...Kind, description: "Null when the change does not say it" }),
      id: nullable({ ...Uuid, description: "Null when the change does not say it" }),
      status: choice(["applied", "unchanged", "conflict", "refused"], {
        description:
          "Unchanged: it is so already. Conflict: it has changed since, or is gone; see current. Refused: see problem",
      }),
      version: Type.Union([Version, Type.Null()], {
        description: "Of what is stored now; null when it is gone",
      }),
      current: Type.Union([...State.anyOf], {
        description: "With a conflict, or when it is refused: what is stored; null when it is gone",
      }),
      problem: nullable(
        strict({
          code: Type.String({ maxLength: 100 }),
          detail: Type.String({ maxLength: 10_000 }),
          errors: Type.Array(
            strict({
              field: Type.String({ maxLength: 300 }),
              code: Type.String({ maxLength: 100 }),
              message: Type.String({ maxLength: 1000 }),
            }),
            { maxItems: 100 },
          ),
        }),
      ),
    }),
    { maxItems: 100, description: "One for each change, in their order" },
  ),
});
