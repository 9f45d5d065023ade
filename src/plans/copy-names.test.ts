import { expect, test } from "bun:test";
import { expectStatus, withApi } from "#test/harness.ts";
import { PLANS, ROUTINES } from "#test/paths.ts";
import {
  type Client,
  create,
  type Entry,
  makeClient,
  makeTrainerPlan,
  plansOf,
  schedule,
} from "#test/trainer-plan.ts";

test(
  "copies get free names if a plan is assigned again or a client has the same names",
  withApi(async (api) => {
    const { trainer, assign } = await makeTrainerPlan(api);
    const [clash, plain] = [await makeClient(api, trainer), await makeClient(api, trainer)];
    await create(api, ROUTINES, clash, { name: "LEGS", exercises: [] });
    await create(api, ROUTINES, clash, { name: "Legs (2)", exercises: [] });
    await create(api, PLANS, clash, { name: "strength", routines: [] });
    for (const _attempt of [1, 2]) expectStatus(await assign([clash.id, plain.id]), 201);
    const plansByName = async (client: Client) => {
      const plans: Record<string, string[]> = {};
      for (const { id, name } of await plansOf(api, client)) {
        plans[name] = schedule((await api.get(`${PLANS}/${id}`, { as: client.as })).json);
      }
      return plans;
    };
    expect(await plansByName(clash)).toEqual({
      strength: [],
      "Strength (2)": ["1 Legs (3)", "1 Arms", "2 Arms"],
      "Strength (3)": ["1 Legs (4)", "1 Arms (2)", "2 Arms (2)"],
    });
    expect(await plansByName(plain)).toEqual({
      Strength: ["1 Legs", "1 Arms", "2 Arms"],
      "Strength (2)": ["1 Legs (2)", "1 Arms (2)", "2 Arms (2)"],
    });
  }),
);

test(
  "copied routines get distinct names even if numbering would make them equal",
  withApi(async (api) => {
    const { trainer } = await makeTrainerPlan(api);
    const client = await makeClient(api, trainer);
    const long = "L".repeat(99);
    const names = ["Push", "Push (2)", "Push (3)", `${long}1`, `${long}2`];
    const routines = [];
    for (const name of names) {
      routines.push({
        routineId: await create(api, ROUTINES, trainer, { name, exercises: [] }),
        day: 1,
      });
    }
    const planId = await create(api, PLANS, trainer, {
      name: "Alike",
      sharing: "public",
      routines,
    });
    for (const name of ["Push", `${long}1`, `${long}2`])
      await create(api, ROUTINES, client, { name, exercises: [] });
    const assigned = await api.post(`${PLANS}/${planId}/assign`, {
      as: trainer.as,
      body: { clientIds: [client.id] },
    });
    expectStatus(assigned, 201);
    const copy = (await api.get(`${PLANS}/${assigned.json[0].planId}`, { as: client.as })).json;
    const stem = "L".repeat(92);
    expect(copy.routines.map(({ routineName }: Entry) => routineName)).toEqual([
      "Push (4)",
      "Push (2)",
      "Push (3)",
      `${stem} (2)`,
      `${stem} (3)`,
    ]);
    // Cloning follows the same rule.
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
