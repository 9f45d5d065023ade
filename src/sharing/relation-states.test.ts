import { expect, test } from "bun:test";
import { ABSENT, makeInvitation } from "#test/fixtures.ts";
import { type Answer, type Api, withApi } from "#test/harness.ts";
import { makeRelation, type Relation } from "#test/trainer-relation.ts";

const HISTORY = "read_history";
const PLANS = "write_plans";
type Scope = "history" | "plans";
type State = [
  name: string,
  allowed: Scope[],
  enter: (relation: Relation) => Promise<unknown>,
  isTrainer?: boolean,
];

const acceptAll = ({ acceptFor }: Relation) => acceptFor(HISTORY, PLANS);
const afterAccepting =
  (change: (relation: Relation) => Promise<void>) =>
  async (relation: Relation): Promise<void> => {
    await acceptAll(relation);
    await change(relation);
  };
const states: State[] = [
  ["invited", [], async () => {}],
  ["accepted for everything", ["history", "plans"], acceptAll],
  ["accepted for the history", ["history"], ({ acceptFor }) => acceptFor(HISTORY)],
  ["accepted for the plans", ["plans"], ({ acceptFor }) => acceptFor(PLANS)],
  [
    "narrowed to the history",
    ["history"],
    afterAccepting(({ changeScopes }) => changeScopes(HISTORY)),
  ],
  ["narrowed to the plans", ["plans"], afterAccepting(({ changeScopes }) => changeScopes(PLANS))],
  [
    "widened again",
    ["history", "plans"],
    async ({ acceptFor, changeScopes }) => {
      await acceptFor(PLANS);
      await changeScopes(HISTORY, PLANS);
    },
  ],
  ["declined", [], ({ end }) => end("client")],
  ["ended by the client", [], afterAccepting(({ end }) => end("client"))],
  ["ended by the trainer", [], afterAccepting(({ end }) => end("trainer"))],
  ["with a former trainer", [], afterAccepting(({ changeRole }) => changeRole("revoke")), false],
  [
    "with a trainer whose role was revoked and assigned again",
    ["history", "plans"],
    afterAccepting(async ({ changeRole }) => {
      await changeRole("revoke");
      await changeRole("assign");
    }),
  ],
  ["with a deactivated client", [], afterAccepting(({ setActive }) => setActive(false))],
  [
    "with a client who was activated again",
    ["history", "plans"],
    afterAccepting(async ({ setActive }) => {
      await setActive(false);
      await setActive(true);
    }),
  ],
];

/**
 * A request of the trainer, the scope that it requires, and its expected status: `ok` with the
 * scope, `refused` without it, as a trainer and as a former trainer.
 */
type Case = {
  scope: Scope;
  ok: number;
  refused: [trainer: number, former: number];
  send: (api: Api, relation: Relation) => Promise<Answer>;
};

const historyCase = (path: (relation: Relation) => string): Case => ({
  scope: "history",
  ok: 200,
  refused: [404, 403],
  send: (api, relation) =>
    api.get(`/api/v1/clients/${relation.clientId}${path(relation)}`, { as: relation.trainer.as }),
});
/** `ok` may be a refusal, for what only the owner may do. */
const plansCase = (send: Case["send"], ok = 200): Case => ({
  scope: "plans",
  ok,
  refused: [404, 404],
  send,
});
const newName = () => `Copy ${Bun.randomUUIDv7()}`;

const cases: Record<string, Case> = {
  ListClientWorkouts: historyCase(() => "/workouts"),
  GetClientWorkout: historyCase(({ workoutId }) => `/workouts/${workoutId}`),
  GetClientRecords: historyCase(({ exerciseId }) => `/progress/exercises/${exerciseId}/records`),
  ListClientExerciseHistory: historyCase(
    ({ exerciseId }) => `/progress/exercises/${exerciseId}/history`,
  ),
  GetClientStreaks: historyCase(() => "/progress/streaks"),
  ListClientVolume: historyCase(() => "/progress/volume?from=2020-01-01&to=2100-12-31"),
  GetExercise: {
    scope: "history",
    ok: 200,
    refused: [404, 404],
    send: (api, { trainer, exerciseId }) =>
      api.get(`/api/v1/exercises/${exerciseId}`, { as: trainer.as }),
  },
  GetPlan: plansCase((api, { trainer, planId }) =>
    api.get(`/api/v1/plans/${planId}`, { as: trainer.as }),
  ),
  UpdatePlan: plansCase((api, { trainer, planId }) =>
    api.patch(`/api/v1/plans/${planId}`, {
      as: trainer.as,
      body: { description: "Changed" },
    }),
  ),
  ClonePlan: plansCase(
    (api, { trainer, planId }) =>
      api.post(`/api/v1/plans/${planId}/clone`, {
        as: trainer.as,
        body: { name: newName() },
      }),
    201,
  ),
  SharePlan: plansCase(
    (api, { trainer, planId }) =>
      api.patch(`/api/v1/plans/${planId}`, {
        as: trainer.as,
        body: { sharing: "public" },
      }),
    403,
  ),
  DeletePlan: plansCase(
    (api, { trainer, planId }) => api.delete(`/api/v1/plans/${planId}`, { as: trainer.as }),
    404,
  ),
  GetRoutine: plansCase((api, { trainer, routineId }) =>
    api.get(`/api/v1/routines/${routineId}`, { as: trainer.as }),
  ),
  UpdateRoutine: plansCase((api, { trainer, routineId }) =>
    api.patch(`/api/v1/routines/${routineId}`, {
      as: trainer.as,
      body: { description: "Changed" },
    }),
  ),
  CloneRoutine: plansCase(
    (api, { trainer, routineId }) =>
      api.post(`/api/v1/routines/${routineId}/clone`, {
        as: trainer.as,
        body: { name: newName() },
      }),
    201,
  ),
  ShareRoutine: plansCase(
    (api, { trainer, routineId }) =>
      api.patch(`/api/v1/routines/${routineId}`, {
        as: trainer.as,
        body: { sharing: "public" },
      }),
    403,
  ),
  GrantRoutine: plansCase((api, { trainer, routineId, client }) => {
    const body = { routineId, email: client.user.email, access: "read" };
    return api.post("/api/v1/grants", { as: trainer.as, body });
  }, 404),
  DeleteRoutine: plansCase(
    (api, { trainer, routineId }) =>
      api.delete(`/api/v1/routines/${routineId}`, { as: trainer.as }),
    404,
  ),
  StartWorkout: plansCase(
    (api, { trainer, planId, routineId }) =>
      api.post("/api/v1/workouts", {
        as: trainer.as,
        body: { planId, routineId, timeZone: "UTC" },
      }),
    201,
  ),
  AssignPlan: {
    scope: "plans",
    ok: 201,
    refused: [404, 403],
    send: (api, { trainer, trainerPlanId, clientId }) =>
      api.post(`/api/v1/plans/${trainerPlanId}/assign`, {
        as: trainer.as,
        body: { clientIds: [clientId] },
      }),
  },
};

test.each(states)(
  "a relation that is %s gives the trainer access to: %j",
  (_name, allowed, enter, isTrainer = true) =>
    withApi(async (api) => {
      const relation = await makeRelation(api);
      const sendAll = async () => {
        const statuses: Record<string, number> = {};
        for (const [name, { send }] of Object.entries(cases))
          statuses[name] = (await send(api, relation)).status;
        return statuses;
      };
      // Sent before the state changes too, to fill the caches.
      await sendAll();
      await enter(relation);
      const expected = Object.entries(cases).map(([name, { scope, ok, refused }]) => [
        name,
        allowed.includes(scope) ? ok : refused[isTrainer ? 0 : 1],
      ]);
      expect(await sendAll()).toEqual(Object.fromEntries(expected));
    })(),
);

test(
  "unknown ids, and the client of another trainer, show nothing",
  withApi(async (api) => {
    const relation = await makeRelation(api);
    await acceptAll(relation);
    const colleague = await makeInvitation(api);
    await colleague.accept();
    const unknownIds = {
      clientId: ABSENT,
      exerciseId: ABSENT,
      workoutId: ABSENT,
      planId: ABSENT,
      routineId: ABSENT,
    };
    for (const [name, { send, refused }] of Object.entries(cases)) {
      const byColleague = await send(api, { ...relation, trainer: colleague.trainer });
      const withUnknownIds = await send(api, { ...relation, ...unknownIds });
      const statuses = [byColleague.status, withUnknownIds.status];
      expect([name, ...statuses]).toEqual([name, refused[0], refused[0]]);
    }
  }),
);
