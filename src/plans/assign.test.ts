import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { PLANS, ROUTINES } from "#test/paths.ts";
import { create, makeClient, makeTrainerPlan, plansOf, schedule } from "#test/trainer-plan.ts";
import { statementsOf } from "#test/transaction.ts";

test(
  "each client gets a copy of an assigned plan, in one statement, that names its origin",
  withApi(async (api) => {
    const { trainer, planId, legs, system, assign } = await makeTrainerPlan(api);
    await api.patch(`${PLANS}/${planId}`, { as: trainer.as, body: { weeks: 9 } });
    const [first, second] = [await makeClient(api, trainer), await makeClient(api, trainer)];
    const assigned = await assign([second.id, first.id]);
    expectStatus(assigned, 201);
    expect(assigned.json.map(({ clientId }: { clientId: string }) => clientId)).toEqual([
      second.id,
      first.id,
    ]);
    const copies = [];
    for (const [index, client] of [second, first].entries()) {
      const url = `${PLANS}/${assigned.json[index].planId}`;
      const { json: copy } = await api.get(url, { as: client.as });
      expect(copy).toMatchObject({
        name: "Strength",
        weeks: 9,
        difficulty: "expert",
        sharing: "private",
        version: 1,
        ownerId: client.user.id,
        access: "owner",
        assignedFrom: { planId, version: 2, trainerId: trainer.user.id },
      });
      expect(schedule(copy)).toEqual(["1 Legs", "1 Arms", "2 Arms"]);
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
      // The trainer's own exercise is copied by name only.
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
  "the origin of a copy is visible to its owner and the trainer, and outlasts plan and trainer",
  withApi(async (api) => {
    const { trainer, planId, assign } = await makeTrainerPlan(api);
    const client = await makeClient(api, trainer);
    const [{ planId: copyId }] = (await assign([client.id])).json;
    const origin = async (as: string) =>
      (await api.get(`${PLANS}/${copyId}`, { as })).json.assignedFrom;
    await api.patch(`${PLANS}/${copyId}`, { as: client.as, body: { sharing: "public" } });
    expect(await origin((await makeSignedIn(api)).as)).toBeNull();
    const [summary] = (await api.get(`${PLANS}?scope=clients`, { as: trainer.as })).json.items;
    expect(summary).toMatchObject({ id: copyId, access: "write", assignedFrom: { planId } });
    await api.delete(`${PLANS}/${planId}`, { as: trainer.as });
    expect(await origin(trainer.as)).toEqual({
      planId: null,
      version: 1,
      trainerId: trainer.user.id,
    });
    const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
    expectStatus(await api.delete(`/api/v1/users/${trainer.user.id}`, { as: superuser.as }), 204);
    expect(await origin(client.as)).toEqual({ planId: null, version: 1, trainerId: null });
    // A copy of the copy has no origin.
    const clone = await api.post(`${PLANS}/${copyId}/clone`, { as: client.as, body: {} });
    expect(clone.json.assignedFrom).toBeNull();
  }),
);

test(
  "a plan is assigned to all clients or none, and the error names those who do not allow it",
  withApi(async (api) => {
    const { trainer, assign } = await makeTrainerPlan(api);
    const client = await makeClient(api, trainer);
    const reader = await makeClient(api, trainer, ["read_history"]);
    const invited = await create(api, "/api/v1/clients", trainer, {
      email: (await makeSignedIn(api)).user.email,
      scopes: ["write_plans"],
    });
    const colleague = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    const foreignClient = await makeClient(api, colleague);
    for (const other of [reader.id, invited, foreignClient.id, client.user.id, ABSENT]) {
      const refused = await assign([client.id, other]);
      expectProblem(refused, 404, "clients.not_found", `Clients not found: [${other}]`);
    }
    const many = Array.from({ length: 99 }, () => Bun.randomUUIDv7());
    const rejected = await assign([client.id, ...many]);
    expectProblem(rejected, 404, "clients.not_found");
    expect(rejected.json.detail).toEndWith("] and 89 more");
    for (const { as } of [client, reader, foreignClient]) {
      expect((await api.get(PLANS, { as })).json.total).toBe(0);
      expect((await api.get(ROUTINES, { as })).json.total).toBe(0);
    }
    expectProblem(await assign([foreignClient.id], colleague.as), 404, "plans.not_found");
    expectProblem(await assign([client.id], client.as), 403, "access.trainer_required");
    for (const ids of [[], [client.id, client.id.toUpperCase()], [...many, ...many], ["x"]]) {
      expectProblem(await assign(ids), 422, "invalid_request");
    }
  }),
);

test(
  "a trainer writes a client's plan with the client's routines and exercises, not their own",
  withApi(async (api) => {
    const { trainer, planId, legs, system, assign } = await makeTrainerPlan(api);
    const client = await makeClient(api, trainer);
    const [{ planId: copyId }] = (await assign([client.id])).json;
    const { json: copy } = await api.get(`${PLANS}/${copyId}`, { as: client.as });
    const write = (routineId: string) =>
      api.patch(`${PLANS}/${copyId}`, {
        as: trainer.as,
        body: { routines: [{ routineId, day: 5 }] },
      });
    expectProblem(await write(legs), 404, "plans.routine_not_found");
    expect(schedule((await write(copy.routines[0].routineId)).json)).toEqual(["5 Legs"]);
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
    // The original is unchanged, and the client cannot see it.
    expect(schedule((await api.get(`${PLANS}/${planId}`, { as: trainer.as })).json)).toEqual([
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
    // Only a trainer whom the client allows lists the client's plans and routines.
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
