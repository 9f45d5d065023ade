import type { TSchema } from "@sinclair/typebox";
import type { Db } from "#db/client.ts";
import {
  changeExercise,
  createExercise,
  removeExercise,
  type WriteDeps,
} from "../exercises/exercise-writes.service.ts";
import { findDocument } from "../exercises/exercises.queries.ts";
import { ExercisePatch, NewExercise } from "../exercises/exercises.schemas.ts";
import type { Precondition } from "../http/if-match.ts";
import { checkInput } from "../http/input.ts";
import type { Actor } from "../permissions/actor.ts";
import { NewPlan, PlanPatch } from "../plans/plans.schemas.ts";
import { changePlan, createPlan, getPlan, removePlan } from "../plans/plans.service.ts";
import { NewRoutine, RoutinePatch } from "../routines/routines.schemas.ts";
import {
  changeRoutine,
  createRoutine,
  getRoutine,
  removeRoutine,
} from "../routines/routines.service.ts";
import { replaceWorkout } from "../workouts/workout-replacement.service.ts";
import { WorkoutState } from "../workouts/workouts.schemas.ts";
import { getWorkout, startWorkout, trashWorkout } from "../workouts/workouts.service.ts";
import type { Kind } from "./sync.schemas.ts";

type State = Record<string, unknown>;

/**
 * How entities of one kind are synchronized: by the same functions as the operations of that kind,
 * with their checks and errors. `get` returns the stored entity as JSON, `null` if there is none.
 */
export type SyncedKind = {
  create(deps: WriteDeps, actor: Actor, id: string, state: State): Promise<string>;
  /** Replaces the whole state: absent fields are cleared. */
  replace(
    deps: WriteDeps,
    actor: Actor,
    id: string,
    state: State,
    precondition: Precondition,
  ): Promise<string>;
  remove(deps: WriteDeps, actor: Actor, id: string, precondition: Precondition): Promise<unknown>;
  get(db: Db, actor: Actor, id: string): Promise<string>;
};

/** The values of optional fields that are absent. */
const CLEARED = {
  exercise: {
    secondaryMuscles: [],
    equipment: [],
    force: null,
    mechanic: null,
    instructions: null,
  },
  routine: { description: null },
  plan: { description: null, difficulty: null, weeks: null },
};

/** Checks a state as for creation, because a state that replaces another must be complete, too. */
function checkComplete<T>(schema: TSchema, id: string, state: State): T {
  return checkInput<T>(schema, { ...state, id });
}

export const SYNCED_KINDS: Record<Kind, SyncedKind> = {
  exercise: {
    create: (deps, actor, id, state) =>
      createExercise(deps, actor.userId, checkComplete(NewExercise, id, state)),
    replace: (deps, actor, id, state, precondition) => {
      const { id: _id, ...fields } = checkComplete<NewExercise>(NewExercise, id, state);
      const patch = checkInput<ExercisePatch>(ExercisePatch, { ...CLEARED.exercise, ...fields });
      return changeExercise(deps, actor, actor.userId, id, patch, precondition);
    },
    remove: removeExercise,
    get: async (db, actor, id) => (await findDocument(db, actor.userId, id))?.document ?? "null",
  },
  routine: {
    create: ({ db }, actor, id, state) =>
      createRoutine(db, actor, checkComplete(NewRoutine, id, state)),
    replace: ({ db }, actor, id, state, precondition) => {
      const { id: _id, ...fields } = checkComplete<NewRoutine>(NewRoutine, id, state);
      const patch = checkInput<RoutinePatch>(RoutinePatch, { ...CLEARED.routine, ...fields });
      return changeRoutine(db, actor, id, patch, precondition);
    },
    remove: ({ db }, actor, id, precondition) => removeRoutine(db, actor, id, precondition),
    get: getRoutine,
  },
  plan: {
    create: ({ db }, actor, id, state) => createPlan(db, actor, checkComplete(NewPlan, id, state)),
    replace: ({ db }, actor, id, state, precondition) => {
      const { id: _id, ...fields } = checkComplete<NewPlan>(NewPlan, id, state);
      const patch = checkInput<PlanPatch>(PlanPatch, { ...CLEARED.plan, ...fields });
      return changePlan(db, actor, id, patch, precondition);
    },
    remove: ({ db }, actor, id, precondition) => removePlan(db, actor, id, precondition),
    get: getPlan,
  },
  workout: {
    create: ({ db }, actor, id, state) => {
      const { endedAt, ...fields } = checkInput<WorkoutState>(WorkoutState, state);
      return startWorkout(db, actor, { ...fields, id, ...(endedAt ? { endedAt } : {}) });
    },
    replace: ({ db }, actor, id, state, precondition) =>
      replaceWorkout(db, actor, id, checkInput<WorkoutState>(WorkoutState, state), precondition),
    remove: ({ db }, actor, id, precondition) => trashWorkout(db, actor, id, precondition),
    get: getWorkout,
  },
};
