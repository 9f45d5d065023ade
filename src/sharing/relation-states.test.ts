import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeInvitation, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";

/** A trainer, somebody with a history of their own, and what may become of the two. */
async function world(api: Api) {
  const { trainer, client, invitation, accept } = await makeInvitation(api);
  const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
  const exerciseId = await makeExercise(api, { owner: client.user, name: `Own ${client.user.id}` });
  const exercises = [
    { exerciseId, mode: "reps", sets: [{ reps: 5, weight: 100, weightUnit: "kg" }] },
  ];
  const workout = await api.post("/api/v1/workouts", {
    as: client.as,
    body: { timeZone: "UTC", exercises },
  });
  expectStatus(workout, 201);
  const routine = await api.post("/api/v1/routines", {
    as: client.as,
    body: { name: "Legs", exercises: [] },
  });
  const routineId = routine.json.id as string;
  const plan = async (as: string, routines: unknown[]) =>
    (await api.post("/api/v1/plans", { as, body: { name: "Strength", routines } })).json
      .id as string;
  const planId = await plan(client.as, [{ routineId, day: 1 }]);
  const ownPlanId = await plan(trainer.as, []);
  const done = (answer: { status: number; text: string }) => {
    if (answer.status >= 300) throw new Error(answer.text);
  };
  const url = `/api/v1/trainers/${invitation.id}`;
  const narrow = async (...scopes: string[]) =>
    done(await api.patch(url, { as: client.as, body: { scopes } }));
  const acceptFor = async (...scopes: string[]) => done(await accept({ scopes }));
  const role = async (verb: "assign" | "revoke") =>
    done(
      await api.patch(`/api/v1/roles/${trainer.user.email}/${verb}`, {
        as: superuser.as,
        body: { roleSlug: "fitness-trainer" },
      }),
    );
  const activate = async (isActive: boolean) =>
    done(
      await api.patch(`/api/v1/users/${client.user.id}`, { as: superuser.as, body: { isActive } }),
    );
  const end = async (by: "client" | "trainer") =>
    done(
      by === "client"
        ? await api.delete(url, { as: client.as })
        : await api.delete(`/api/v1/clients/${invitation.id}`, { as: trainer.as }),
    );
  return {
    ...{
      trainer,
      client,
      exerciseId,
      workoutId: workout.json.id as string,
      id: invitation.id as string,
    },
    ...{ routineId, planId, ownPlanId },
    ...{ acceptFor, narrow, end, role, activate },
  };
}
type World = Awaited<ReturnType<typeof world>>;

const HISTORY = "read_history";
const PLANS = "write_plans";
type Sight = "history" | "plans";
type State = [
  name: string,
  sees: Sight[],
  reach: (world: World) => Promise<unknown>,
  isTrainer?: boolean,
];

const states: State[] = [
  ["invited", [], async () => {}],
  ["accepted whole", ["history", "plans"], ({ acceptFor }) => acceptFor(HISTORY, PLANS)],
  ["accepted for the history", ["history"], ({ acceptFor }) => acceptFor(HISTORY)],
  ["accepted for the plans", ["plans"], ({ acceptFor }) => acceptFor(PLANS)],
  [
    "narrowed to the history",
    ["history"],
    (it) => it.acceptFor(HISTORY, PLANS).then(() => it.narrow(HISTORY)),
  ],
  [
    "narrowed to the plans",
    ["plans"],
    (it) => it.acceptFor(HISTORY, PLANS).then(() => it.narrow(PLANS)),
  ],
  [
    "widened again",
    ["history", "plans"],
    (it) => it.acceptFor(PLANS).then(() => it.narrow(HISTORY, PLANS)),
  ],
  ["declined", [], ({ end }) => end("client")],
  ["ended by the client", [], (it) => it.acceptFor(HISTORY, PLANS).then(() => it.end("client"))],
  ["ended by the trainer", [], (it) => it.acceptFor(HISTORY, PLANS).then(() => it.end("trainer"))],
  [
    "of one who is a trainer no more",
    [],
    (it) => it.acceptFor(HISTORY, PLANS).then(() => it.role("revoke")),
    false,
  ],
  [
    "of one who is a trainer again",
    ["history", "plans"],
    (it) =>
      it.acceptFor(HISTORY, PLANS).then(() => it.role("revoke").then(() => it.role("assign"))),
  ],
  [
    "of a deactivated client",
    [],
    (it) => it.acceptFor(HISTORY, PLANS).then(() => it.activate(false)),
  ],
  [
    "of a client who was activated again",
    ["history", "plans"],
    (it) =>
      it.acceptFor(HISTORY, PLANS).then(() => it.activate(false).then(() => it.activate(true))),
  ],
];

/**
 * What a trainer does, and what lets them: `refused` is what they get without, as a trainer and as
 * none any more.
 */
type Deed = {
  needs: Sight;
  ok: number;
  refused: [number, number];
  run: (api: Api, world: World) => Promise<Answered>;
};
type Answered = { status: number; text: string };

const historyOf = (path: (world: World) => string): Deed => ({
  needs: "history",
  ok: 200,
  refused: [404, 403],
  run: (api, it) => api.get(`/api/v1/clients/${it.id}${path(it)}`, { as: it.trainer.as }),
});
/**
 * What a trainer does to plans and routines; `ok` is their answer, be it that this stays the
 * owner's.
 */
function plansOf(run: Deed["run"], ok = 200): Deed {
  return { needs: "plans", ok, refused: [404, 404], run };
}
const fresh = () => `Copy ${Bun.randomUUIDv7()}`;

const deeds: Record<string, Deed> = {
  ListClientWorkouts: historyOf(() => "/workouts"),
  GetClientWorkout: historyOf(({ workoutId }) => `/workouts/${workoutId}`),
  GetClientRecords: historyOf(({ exerciseId }) => `/progress/exercises/${exerciseId}/records`),
  ListClientExerciseHistory: historyOf(
    ({ exerciseId }) => `/progress/exercises/${exerciseId}/history`,
  ),
  GetClientStreaks: historyOf(() => "/progress/streaks"),
  ListClientVolume: historyOf(() => "/progress/volume?from=2020-01-01&to=2100-12-31"),
  GetExercise: {
    needs: "history",
    ok: 200,
    refused: [404, 404],
    run: (api, it) => api.get(`/api/v1/exercises/${it.exerciseId}`, { as: it.trainer.as }),
  },
  GetPlan: plansOf((api, it) => api.get(`/api/v1/plans/${it.planId}`, { as: it.trainer.as })),
  UpdatePlan: plansOf((api, it) =>
    api.patch(`/api/v1/plans/${it.planId}`, {
      as: it.trainer.as,
      body: { description: "Changed" },
    }),
  ),
  ClonePlan: plansOf(
    (api, it) =>
      api.post(`/api/v1/plans/${it.planId}/clone`, { as: it.trainer.as, body: { name: fresh() } }),
    201,
  ),
  SharePlan: plansOf(
    (api, it) =>
      api.patch(`/api/v1/plans/${it.planId}`, { as: it.trainer.as, body: { sharing: "public" } }),
    403,
  ),
  DeletePlan: plansOf(
    (api, it) => api.delete(`/api/v1/plans/${it.planId}`, { as: it.trainer.as }),
    404,
  ),
  GetRoutine: plansOf((api, it) =>
    api.get(`/api/v1/routines/${it.routineId}`, { as: it.trainer.as }),
  ),
  UpdateRoutine: plansOf((api, it) =>
    api.patch(`/api/v1/routines/${it.routineId}`, {
      as: it.trainer.as,
      body: { description: "Changed" },
    }),
  ),
  CloneRoutine: plansOf(
    (api, it) =>
      api.post(`/api/v1/routines/${it.routineId}/clone`, {
        as: it.trainer.as,
        body: { name: fresh() },
      }),
    201,
  ),
  ShareRoutine: plansOf(
    (api, it) =>
      api.patch(`/api/v1/routines/${it.routineId}`, {
        as: it.trainer.as,
        body: { sharing: "public" },
      }),
    403,
  ),
  GrantRoutine: plansOf((api, it) => {
    const body = { routineId: it.routineId, email: it.client.user.email, access: "read" };
    return api.post("/api/v1/grants", { as: it.trainer.as, body });
  }, 404),
  DeleteRoutine: plansOf(
    (api, it) => api.delete(`/api/v1/routines/${it.routineId}`, { as: it.trainer.as }),
    404,
  ),
  StartWorkout: plansOf(
    (api, { trainer, planId, routineId }) =>
      api.post("/api/v1/workouts", {
        as: trainer.as,
        body: { planId, routineId, timeZone: "UTC" },
      }),
    201,
  ),
  AssignPlan: {
    needs: "plans",
    ok: 201,
    refused: [404, 403],
    run: (api, it) =>
      api.post(`/api/v1/plans/${it.ownPlanId}/assign`, {
        as: it.trainer.as,
        body: { clientIds: [it.id] },
      }),
  },
};

test.each(states)(
  "a relation that is %s lets the trainer see: %j",
  (_name, sees, reach, isTrainer = true) =>
    withApi(async (api) => {
      const it = await world(api);
      const run = async () => {
        const statuses: Record<string, number> = {};
        for (const [name, deed] of Object.entries(deeds))
          statuses[name] = (await deed.run(api, it)).status;
        return statuses;
      };
      // Before and after, so that an answer from before is remembered if anything is.
      await run();
      await reach(it);
      const expected = Object.entries(deeds).map(([name, { needs, ok, refused }]) => [
        name,
        sees.includes(needs) ? ok : refused[isTrainer ? 0 : 1],
      ]);
      expect(await run()).toEqual(Object.fromEntries(expected));
    })(),
);

test(
  "one who is no client, and one client to another trainer, show nothing",
  withApi(async (api) => {
    const it = await world(api);
    await it.acceptFor(HISTORY, PLANS);
    const colleague = await makeInvitation(api);
    await colleague.accept();
    for (const [name, { run, refused }] of Object.entries(deeds)) {
      const asColleague = await run(api, { ...it, trainer: colleague.trainer });
      const ofNobody = await run(api, {
        ...it,
        ...{ id: ABSENT, exerciseId: ABSENT, workoutId: ABSENT, planId: ABSENT, routineId: ABSENT },
      });
      expect([name, asColleague.status, ofNobody.status]).toEqual([name, refused[0], refused[0]]);
    }
  }),
);
