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
import { checkInput } from "../http/input.ts";
import type { Precondition } from "../http/precondition.ts";
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

export type SyncDeps = WriteDeps;

type Given = Record<string, unknown>;

/**
 * What a device does to a thing of one kind, by the same functions as the operations of that kind:
 * what they check and throw holds here too. `get` gives what is stored as JSON, or undefined.
 */
export type SyncedKind = {
  create(deps: SyncDeps, actor: Actor, id: string, state: Given): Promise<string>;
  /** Replaces all of it: what is absent is cleared. */
  replace(
    deps: SyncDeps,
    actor: Actor,
    id: string,
    state: Given,
    precondition: Precondition,
  ): Promise<string>;
  remove(deps: SyncDeps, actor: Actor, id: string, precondition: Precondition): Promise<unknown>;
  get(db: Db, actor: Actor, id: string): Promise<string>;
};

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

/** A complete new thing by its schema: what replaces another must be complete, too. */
function complete<T>(schema: TSchema, id: string, state: Given): T {
  return checkInput<T>(schema, { ...state, id });
}

export const SYNCED_KINDS: Record<Kind, SyncedKind> = {
  exercise: {
    create: (deps, actor, id, state) =>
      createExercise(deps, actor.userId, complete(NewExercise, id, state)),
    replace: (deps, actor, id, state, precondition) => {
      const { id: _id, ...fields } = complete<NewExercise>(NewExercise, id, state);
      const patch = checkInput<ExercisePatch>(ExercisePatch, { ...CLEARED.exercise, ...fields });
      return changeExercise(deps, actor, actor.userId, id, patch, precondition);
    },
    remove: removeExercise,
    get: async (db, actor, id) => (await findDocument(db, actor.userId, id))?.document ?? "null",
  },
  routine: {
    create: ({ db }, actor, id, state) => createRoutine(db, actor, complete(NewRoutine, id, state)),
    replace: ({ db }, actor, id, state, precondition) => {
      const { id: _id, ...fields } = complete<NewRoutine>(NewRoutine, id, state);
      const patch = checkInput<RoutinePatch>(RoutinePatch, { ...CLEARED.routine, ...fields });
      return changeRoutine(db, actor, id, patch, precondition);
    },
    remove: ({ db }, actor, id, precondition) => removeRoutine(db, actor, id, precondition),
    get: getRoutine,
  },
  plan: {
    create: ({ db }, actor, id, state) => createPlan(db, actor, complete(NewPlan, id, state)),
    replace: ({ db }, actor, id, state, precondition) => {
      const { id: _id, ...fields } = complete<NewPlan>(NewPlan, id, state);
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
