import { makeExercise, makeSignedIn } from "./fixtures.ts";
import { type Api, expectStatus } from "./harness.ts";
import { PLANS, ROUTINES } from "./paths.ts";

type Signed = Awaited<ReturnType<typeof makeSignedIn>>;
export type Client = Signed & { id: string };
export type Entry = { routineId: string; routineName: string; day: number };

/**
 * A trainer with a plan of two routines, one with the trainer's own exercise and a system exercise.
 */
export async function makeTrainerPlan(api: Api) {
  const trainer = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
  const own = await makeExercise(api, { owner: trainer.user, name: "Trainer's own" });
  const [system] = await api.deps.db.sql<{ id: string }[]>`
    select id from exercises where owner_id is null limit 1`;
  const exercises = [own, system?.id].map((exerciseId) => ({
    exerciseId,
    mode: "reps",
    sets: 3,
    repsMin: 5,
    repsMax: 8,
  }));
  const legs = await create(api, ROUTINES, trainer, {
    name: "Legs",
    description: "Heavy",
    exercises,
  });
  const arms = await create(api, ROUTINES, trainer, { name: "Arms", exercises: [] });
  const routines = [
    { routineId: arms, day: 2 },
    { routineId: legs, day: 1 },
    { routineId: arms, day: 1 },
  ];
  const planId = await create(api, PLANS, trainer, {
    name: "Strength",
    weeks: 8,
    difficulty: "expert",
    routines,
  });
  const assign = (clientIds: string[], as = trainer.as) =>
    api.post(`${PLANS}/${planId}/assign`, { as, body: { clientIds } });
  return { trainer, planId, legs, system: system?.id, assign };
}

/** Posts `body` and returns the id of what it created. */
export async function create(
  api: Api,
  path: string,
  { as }: Signed,
  body: object,
): Promise<string> {
  const created = await api.post(path, { as, body });
  expectStatus(created, 201);
  return created.json.id;
}

/** A client who has accepted the scopes. */
export async function makeClient(
  api: Api,
  trainer: Signed,
  scopes = ["write_plans"],
): Promise<Client> {
  const client = await makeSignedIn(api);
  const id = await create(api, "/api/v1/clients", trainer, { email: client.user.email, scopes });
  expectStatus(await api.post(`/api/v1/trainers/${id}/accept`, { as: client.as, body: {} }), 200);
  return { ...client, id };
}

export const plansOf = async (api: Api, { as }: Signed) =>
  (await api.get(PLANS, { as })).json.items;
export const schedule = (plan: { routines: Entry[] }) =>
  plan.routines.map(({ day, routineName }) => `${day} ${routineName}`);
