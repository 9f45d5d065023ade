import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { PLANS, ROUTINES } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Signed = Awaited<ReturnType<typeof makeSignedIn>>;
type Client = Signed & { id: string };
type Entry = { routineId: string; routineName: string; day: number };

/**
 * A trainer with a plan of two routines, one of which has an exercise of the trainer's own and one
 * of the catalog.
 */
async function world(api: Api) {
  const trainer = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
  const own = await makeExercise(api, { owner: trainer.user, name: "Trainer's own" });
  const [system] = await api.deps.db.sql<
    { id: string }[]
  >`select id from exercises where owner_id is null limit 1`;
  const exercises = [own, system?.id].map((exerciseId) => ({
    exerciseId,
    mode: "reps",
    sets: 3,
    repsMin: 5,
    repsMax: 8,
  }));
  const legs = await make(api, ROUTINES, trainer, {
    name: "Legs",
    description: "Heavy",
    exercises,
  });
  const arms = await make(api, ROUTINES, trainer, { name: "Arms", exercises: [] });
  const routines = [
    { routineId: arms, day: 2 },
    { routineId: legs, day: 1 },
    { routineId: arms, day: 1 },
  ];
  const planId = await make(api, PLANS, trainer, {
    name: "Strength",
    weeks: 8,
    difficulty: "expert",
    routines,
  });
  const assign = (clientIds: string[], as = trainer.as) =>
    api.post(`${PLANS}/${planId}/assign`, { as, body: { clientIds } });
  return { trainer, planId, legs, system: system?.id, assign };
}

async function make(api: Api, path: string, { as }: Signed, body: object): Promise<string> {
  const made = await api.post(path, { as, body });
  expectStatus(made, 201);
  return made.json.id;
}

async function makeClient(api: Api, trainer: Signed, scopes = ["write_plans"]): Promise<Client> {
  const client = await makeSignedIn(api);
  const id = await make(api, "/api/v1/clients", trainer, { email: client.user.email, scopes });
  expectStatus(await api.post(`/api/v1/trainers/${id}/accept`, { as: client.as, body: {} }), 200);
  return { ...client, id };
}

const plansOf = async (api: Api, { as }: Signed) => (await api.get(PLANS, { as })).json.items;
const shown = (plan: { routines: Entry[] }) =>
  plan.routines.map(({ day, routineName }) => `${day} ${routineName}`);

test(
  "an assigned plan is each client's own copy, in one statement, and says where it is from",
  withApi(async (api) => {
    const { trainer, planId, legs, system, assign } = await world(api);
    await api.patch(`${PLANS}/${planId}`, { as: trainer.as, body: { weeks: 9 } });
    const [first, second] = [await makeClient(api, trainer), await makeClient(api, trainer)];
    const made = await assign([second.id, first.id]);
    expectStatus(made, 201);
    expect(made.json.map(({ clientId }: { clientId: string }) => clientId)).toEqual([
      second.id,
      first.id,
    ]);
    const copies = [];
    for (const [at, client] of [second, first].entries()) {
      const url = `${PLANS}/${made.json[at].planId}`;
      const { json: copy } = await api.get(url, { as: client.as });
      expect(copy).toMatchObject({
        ...{ name: "Strength", weeks: 9, difficulty: "expert", sharing: "private", version: 1 },
        ...{ ownerId: client.user.id, access: "owner" },
        assignedFrom: { planId, version: 2, trainerId: trainer.user.id },
      });
      expect(shown(copy)).toEqual(["1 Legs", "1 Arms", "2 Arms"]);
      expect(copy.routines[1].routineId).toBe(copy.routines[2].routineId);
      expect((await api.get(url, { as: trainer.as })).json).toEqual({ ...copy, access: "write" });
      const { json: routine } = await api.get(`${ROUTINES}/${copy.routines[0].routineId}`, {
        as: client.as,
      });
      expect(routine).toMatchObject({
        ownerId: client.user.id,
        description: "Heavy",
        sharing: "private",
      });
      expect(routine.id).not.toBe(legs);
      // The trainer's own exercise stays behind by name.
      expect(routine.exercises).toMatchObject([
        { exerciseId: null, exerciseName: "Trainer's own", repsMin: 5 },
        { exerciseId: system, position: 2 },
      ]);
      copies.push(copy);
    }
    expect(copies[0].routines[0].routineId).not.toBe(copies[1].routines[0].routineId);
    expect((await plansOf(api, trainer)).map(({ id }: { id: string }) => id)).toEqual([planId]);
    const more = [
      await makeClient(api, trainer),
      await makeClient(api, trainer),
      await makeClient(api, trainer),
    ];
    expect(await statementsOf(() => assign(more.map(({ id }) => id)))).toHaveLength(1);
  }),
);

test(
  "where a plan is from is told to its owner and that trainer, and outlasts the plan and the trainer",
  withApi(async (api) => {
    const { trainer, planId, assign } = await world(api);
    const client = await makeClient(api, trainer);
    const [{ planId: copyId }] = (await assign([client.id])).json;
    const origin = async (as: string) =>
      (await api.get(`${PLANS}/${copyId}`, { as })).json.assignedFrom;
    await api.patch(`${PLANS}/${copyId}`, { as: client.as, body: { sharing: "public" } });
    expect(await origin((await makeSignedIn(api)).as)).toBeNull();
    const [listed] = (await api.get(`${PLANS}?scope=clients`, { as: trainer.as })).json.items;
    expect(listed).toMatchObject({ id: copyId, access: "write", assignedFrom: { planId } });
    await api.delete(`${PLANS}/${planId}`, { as: trainer.as });
    expect(await origin(trainer.as)).toEqual({
      planId: null,
      version: 1,
      trainerId: trainer.user.id,
    });
    const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
    expectStatus(await api.delete(`/api/v1/users/${trainer.user.id}`, { as: superuser.as }), 204);
    expect(await origin(client.as)).toEqual({ planId: null, version: 1, trainerId: null });
    // A copy of the copy is from nobody.
    const clone = await api.post(`${PLANS}/${copyId}/clone`, { as: client.as, body: {} });
    expect(clone.json.assignedFrom).toBeNull();
  }),
);

test(
  "a plan that is assigned again, and names that a client has, get names that are free",
  withApi(async (api) => {
    const { trainer, assign } = await world(api);
    const [clash, plain] = [await makeClient(api, trainer), await makeClient(api, trainer)];
    await make(api, ROUTINES, clash, { name: "LEGS", exercises: [] });
    await make(api, ROUTINES, clash, { name: "Legs (2)", exercises: [] });
    await make(api, PLANS, clash, { name: "strength", routines: [] });
    for (const _time of [1, 2]) expectStatus(await assign([clash.id, plain.id]), 201);
    const named = async (client: Client) => {
      const plans: Record<string, string[]> = {};
      for (const { id, name } of await plansOf(api, client)) {
        plans[name] = shown((await api.get(`${PLANS}/${id}`, { as: client.as })).json);
      }
      return plans;
    };
    expect(await named(clash)).toEqual({
      strength: [],
      "Strength (2)": ["1 Legs (3)", "1 Arms", "2 Arms"],
      "Strength (3)": ["1 Legs (4)", "1 Arms (2)", "2 Arms (2)"],
    });
    expect(await named(plain)).toEqual({
      Strength: ["1 Legs", "1 Arms", "2 Arms"],
      "Strength (2)": ["1 Legs (2)", "1 Arms (2)", "2 Arms (2)"],
    });
  }),
);

test(
  "routines of a plan whose names would become the same when numbered are told apart",
  withApi(async (api) => {
    const { trainer } = await world(api);
    const client = await makeClient(api, trainer);
    const long = "L".repeat(99);
    const names = ["Push", "Push (2)", "Push (3)", `${long}1`, `${long}2`];
    const routines = [];
    for (const name of names) {
      routines.push({
        routineId: await make(api, ROUTINES, trainer, { name, exercises: [] }),
        day: 1,
      });
    }
    const planId = await make(api, PLANS, trainer, { name: "Alike", sharing: "public", routines });
    for (const name of ["Push", `${long}1`, `${long}2`])
      await make(api, ROUTINES, client, { name, exercises: [] });
    const made = await api.post(`${PLANS}/${planId}/assign`, {
      as: trainer.as,
      body: { clientIds: [client.id] },
    });
    expectStatus(made, 201);
    const copy = (await api.get(`${PLANS}/${made.json[0].planId}`, { as: client.as })).json;
    const stem = "L".repeat(92);
    expect(copy.routines.map(({ routineName }: Entry) => routineName)).toEqual([
      ...["Push (4)", "Push (2)", "Push (3)", `${stem} (2)`, `${stem} (3)`],
    ]);
    // Copying by hand follows the same rule.
    const clone = await api.post(`${PLANS}/${planId}/clone`, {
      as: client.as,
      body: { name: "Again" },
    });
    expectStatus(clone, 201);
    expect(new Set(clone.json.routines.map(({ routineName }: Entry) => routineName)).size).toBe(
      names.length,
    );
  }),
);

test(
  "a plan is assigned to all or to nobody, and the answer names those who do not let the trainer",
  withApi(async (api) => {
    const { trainer, assign } = await world(api);
    const client = await makeClient(api, trainer);
    const reader = await makeClient(api, trainer, ["read_history"]);
    const invited = await make(api, "/api/v1/clients", trainer, {
      email: (await makeSignedIn(api)).user.email,
      scopes: ["write_plans"],
    });
    const colleague = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    const theirs = await makeClient(api, colleague);
    for (const other of [reader.id, invited, theirs.id, client.user.id, ABSENT]) {
      const refused = await assign([client.id, other]);
      expectProblem(refused, 404, "clients.not_found", `Clients not found: [${other}]`);
    }
    const many = Array.from({ length: 99 }, () => Bun.randomUUIDv7());
    const crowd = await assign([client.id, ...many]);
    expectProblem(crowd, 404, "clients.not_found");
    expect(crowd.json.detail).toEndWith("] and 89 more");
    for (const { as } of [client, reader, theirs]) {
      expect((await api.get(PLANS, { as })).json.total).toBe(0);
      expect((await api.get(ROUTINES, { as })).json.total).toBe(0);
    }
    expectProblem(await assign([theirs.id], colleague.as), 404, "plans.not_found");
    expectProblem(await assign([client.id], client.as), 403, "access.trainer_required");
    for (const ids of [[], [client.id, client.id.toUpperCase()], [...many, ...many], ["x"]]) {
      expectProblem(await assign(ids), 422, "invalid_request");
    }
  }),
);

test(
  "a trainer writes a client's plan with what is the client's, and nothing of their own",
  withApi(async (api) => {
    const { trainer, planId, legs, system, assign } = await world(api);
    const client = await makeClient(api, trainer);
    const [{ planId: copyId }] = (await assign([client.id])).json;
    const { json: copy } = await api.get(`${PLANS}/${copyId}`, { as: client.as });
    const write = (routineId: string) =>
      api.patch(`${PLANS}/${copyId}`, {
        as: trainer.as,
        body: { routines: [{ routineId, day: 5 }] },
      });
    expectProblem(await write(legs), 404, "plans.routine_not_found");
    expect(shown((await write(copy.routines[0].routineId)).json)).toEqual(["5 Legs"]);
    const clients = await makeExercise(api, { owner: client.user, name: "Client's own" });
    const trainers = await makeExercise(api, {
      owner: trainer.user,
      name: "Another of the trainer's",
    });
    const fill = (exerciseId: string | undefined) =>
      api.patch(`${ROUTINES}/${copy.routines[0].routineId}`, {
        as: trainer.as,
        body: { exercises: [{ exerciseId, mode: "reps", sets: 1 }] },
      });
    expectProblem(await fill(trainers), 404, "routines.exercise_not_found");
    expectStatus(await fill(system), 200);
    expect((await fill(clients)).json.exercises).toMatchObject([{ exerciseName: "Client's own" }]);
    // The original stays as it was, and the client has no sight of it.
    expect(shown((await api.get(`${PLANS}/${planId}`, { as: trainer.as })).json)).toEqual([
      "1 Legs",
      "1 Arms",
      "2 Arms",
    ]);
    expectProblem(await api.get(`${PLANS}/${planId}`, { as: client.as }), 404, "plans.not_found");
    expectProblem(
      await api.get(`${ROUTINES}/${legs}`, { as: client.as }),
      404,
      "routines.not_found",
    );
    // Lists of clients' things are for who is let, and for nobody else.
    const total = async (as: string, path = PLANS) =>
      (await api.get(`${path}?scope=clients`, { as })).json.total;
    expect([await total(trainer.as), await total(trainer.as, ROUTINES)]).toEqual([1, 2]);
    expect([await total(client.as), await total((await makeSignedIn(api)).as, ROUTINES)]).toEqual([
      0, 0,
    ]);
    expect((await api.get(`${PLANS}?scope=shared`, { as: trainer.as })).json.total).toBe(0);
    expect(
      await statementsOf(() => api.get(`${PLANS}/${copyId}`, { as: trainer.as })),
    ).toHaveLength(1);
  }),
);
