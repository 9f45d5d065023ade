import { makeInvitation, makeSignedIn } from "./fixtures.ts";
import { type Api, expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

/** Creates something by `POST`, and returns it. */
export async function create(api: Api, as: string, path: string, body: object) {
  const answer = await api.post(`${API}/${path}`, { as, body });
  expectStatus(answer, 201);
  return answer.json;
}

/**
 * A user with entities of each kind that refer to one another, and a plan that a trainer assigned.
 */
export async function makeRelatedTraining(api: Api) {
  const admin = await makeSignedIn(api, { roleSlug: "superuser" });
  const { trainer, client, invitation, accept } = await makeInvitation(api);
  expectStatus(await accept(), 200);
  const { as } = client;
  const name = Bun.randomUUIDv7();
  const entry = async (catalog: string, n: number) =>
    (await create(api, admin.as, `catalogs/${catalog}`, { name: `${name} ${n}` })).id as number;
  const [muscle, secondary] = [await entry("muscle-groups", 1), await entry("muscle-groups", 2)];
  const equipment = await entry("equipment", 1);
  const exercise = await create(api, as, "exercises/user", {
    name,
    difficultyLevel: "beginner",
    category: "strength",
    primaryMuscles: [muscle],
    secondaryMuscles: [secondary],
    equipment: [equipment],
  });
  const exercises = [{ exerciseId: exercise.id, mode: "reps", sets: 3 }];
  const routine = await create(api, as, "routines", { name, exercises });
  const unplanned = await create(api, as, "routines", { name: `${name} unplanned`, exercises: [] });
  const plan = await create(api, as, "plans", {
    name,
    routines: [{ routineId: routine.id, day: 1 }],
  });
  const training = { timeZone: "UTC", routineId: routine.id, planId: plan.id };
  const workout = await create(api, as, "workouts", training);
  const free = await create(api, as, "workouts", { timeZone: "UTC", routineId: unplanned.id });
  const trainerPlan = await create(api, trainer.as, "plans", { name, routines: [] });
  const clientIds = [invitation.id];
  const [{ planId }] = await create(api, trainer.as, `plans/${trainerPlan.id}/assign`, {
    clientIds,
  });
  const paths: Record<string, string> = {
    exercise: `exercises/${exercise.id}`,
    routine: `routines/${routine.id}`,
    plan: `plans/${plan.id}`,
    workout: `workouts/${workout.id}`,
    "free workout": `workouts/${free.id}`,
    "assigned plan": `plans/${planId}`,
  };
  const ids = {
    muscle,
    secondary,
    equipment,
    unplanned: unplanned.id as string,
    trainerPlan: trainerPlan.id as string,
  };
  return { admin, trainer, as, relation: invitation.id as string, name, ids, paths };
}

export type RelatedTraining = Awaited<ReturnType<typeof makeRelatedTraining>>;
