import { makeExercise, makeInvitation, makeSignedIn } from "./fixtures.ts";
import { type Answer, type Api, expectStatus } from "./harness.ts";
import { CLIENTS, PLANS, ROUTINES, TRAINERS, USERS, WORKOUTS } from "./paths.ts";

/**
 * A trainer, an invited client with training, and actions that change the state of the relation.
 */
export async function makeRelation(api: Api) {
  const { trainer, client, invitation, accept } = await makeInvitation(api);
  const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
  const { as } = client;
  const exerciseId = await makeExercise(api, { owner: client.user, name: `Own ${client.user.id}` });
  const sets = [{ reps: 5, weight: 100, weightUnit: "kg" }];
  const exercises = [{ exerciseId, mode: "reps", sets }];
  const workout = await api.post(WORKOUTS, { as, body: { timeZone: "UTC", exercises } });
  expectStatus(workout, 201);
  const routine = await api.post(ROUTINES, { as, body: { name: "Legs", exercises: [] } });
  const routineId = routine.json.id as string;
  const makePlan = async (as: string, routines: object[]): Promise<string> =>
    (await api.post(PLANS, { as, body: { name: "Strength", routines } })).json.id;
  const planId = await makePlan(as, [{ routineId, day: 1 }]);
  const trainerPlanId = await makePlan(trainer.as, []);

  const expectOk = ({ status, text }: Answer) => {
    if (status >= 300) throw new Error(text);
  };
  const invitationPath = `${TRAINERS}/${invitation.id}`;
  return {
    trainer,
    client,
    exerciseId,
    workoutId: workout.json.id as string,
    clientId: invitation.id as string,
    routineId,
    planId,
    trainerPlanId,
    acceptFor: async (...scopes: string[]) => expectOk(await accept({ scopes })),
    changeScopes: async (...scopes: string[]) =>
      expectOk(await api.patch(invitationPath, { as, body: { scopes } })),
    end: async (by: "client" | "trainer") =>
      expectOk(
        by === "client"
          ? await api.delete(invitationPath, { as })
          : await api.delete(`${CLIENTS}/${invitation.id}`, { as: trainer.as }),
      ),
    changeRole: async (action: "assign" | "revoke") =>
      expectOk(
        await api.patch(`/api/v1/roles/${trainer.user.email}/${action}`, {
          as: superuser.as,
          body: { roleSlug: "fitness-trainer" },
        }),
      ),
    setActive: async (isActive: boolean) =>
      expectOk(
        await api.patch(`${USERS}/${client.user.id}`, { as: superuser.as, body: { isActive } }),
      ),
  };
}

export type Relation = Awaited<ReturnType<typeof makeRelation>>;
