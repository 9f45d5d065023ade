import { expect, test } from "bun:test";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { makeLegDay } from "#test/leg-day.ts";
import { ROUTINES } from "#test/paths.ts";

type Body = Record<string, unknown>;

test(
  "names are unique within an account, whatever their case",
  withApi(async (api) => {
    const { owner, other, body } = await makeLegDay(api);
    const { json } = await api.post(ROUTINES, { as: owner.as, body });
    const taken = await api.post(ROUTINES, {
      as: owner.as,
      body: { name: "LEG DAY", exercises: [] },
    });
    expectProblem(
      taken,
      409,
      "routines.name_taken",
      "You already have a routine with the name 'LEG DAY'",
    );
    expectStatus(
      await api.post(ROUTINES, { as: other.as, body: { name: "Leg day", exercises: [] } }),
      201,
    );
    const second = await api.post(ROUTINES, {
      as: owner.as,
      body: { name: "Arms", exercises: [] },
    });
    expectProblem(
      await api.patch(`${ROUTINES}/${second.json.id}`, { as: owner.as, body: { name: "leg day" } }),
      409,
      "routines.name_taken",
    );
    expectStatus(
      await api.patch(`${ROUTINES}/${json.id}`, { as: owner.as, body: { name: "Leg Day" } }),
      200,
    );
  }),
);

test(
  "a change writes the given fields and replaces the exercises in order; a stale version is 412",
  withApi(async (api) => {
    const { owner, squat, body } = await makeLegDay(api);
    const { json: created } = await api.post(ROUTINES, { as: owner.as, body });
    const change = (patch: Body, ifMatch?: string) =>
      api.patch(`${ROUTINES}/${created.id}`, {
        as: owner.as,
        body: patch,
        ...(ifMatch ? { headers: { "if-match": ifMatch } } : {}),
      });
    expect((await change({})).json).toEqual(created);
    const renamed = await change({ name: "Legs", description: null });
    expect(renamed.json).toMatchObject({
      name: "Legs",
      description: null,
      version: 2,
      exercises: created.exercises,
    });
    const [first, second] = created.exercises;
    const swapped = await change(
      { exercises: [second, first].map(({ id: _id, position: _position, ...entry }) => entry) },
      '"2"',
    );
    expectStatus(swapped, 200);
    expect(
      swapped.json.exercises.map(({ exerciseName }: { exerciseName: string }) => exerciseName),
    ).toEqual(["Zq Own Press", "Zq Squat"]);
    expectProblem(await change({ name: "Late" }, '"2"'), 412, "routines.stale");
    const shorter = await change({
      exercises: [{ exerciseId: squat, mode: "sets_only", sets: 1 }],
    });
    expect(shorter.json.exercises).toMatchObject([
      { position: 1, mode: "sets_only", sets: 1, timeS: null, notes: null },
    ]);
    expect((await change({ exercises: [] })).json.exercises).toEqual([]);
  }),
);

test(
  "deleting an exercise keeps its name in the routine",
  withApi(async (api) => {
    const { owner, own, body } = await makeLegDay(api);
    const { json: created } = await api.post(ROUTINES, { as: owner.as, body });
    expectStatus(await api.delete(`/api/v1/exercises/${own}`, { as: owner.as }), 204);
    const { json } = await api.get(`${ROUTINES}/${created.id}`, { as: owner.as });
    expect(json.exercises[1]).toMatchObject({
      exerciseId: null,
      exerciseName: "Zq Own Press",
      timeS: 45,
    });
    const entries = json.exercises.map(({ id: _id, position: _position, ...entry }: Body) => entry);
    const replaced = await api.patch(`${ROUTINES}/${created.id}`, {
      as: owner.as,
      body: { exercises: entries },
    });
    expect(replaced.json.exercises[1]).toMatchObject({
      exerciseId: null,
      exerciseName: "Zq Own Press",
    });
  }),
);

test(
  "other users do not see a private routine; they can read and copy a public one but not change it",
  withApi(async (api) => {
    const { owner, other, body } = await makeLegDay(api);
    const { json: created } = await api.post(ROUTINES, { as: owner.as, body });
    const url = `${ROUTINES}/${created.id}`;
    expectProblem(
      await api.get(url, { as: other.as }),
      404,
      "routines.not_found",
      "Routine not found",
    );
    expectProblem(
      await api.post(`${url}/clone`, { as: other.as, body: {} }),
      404,
      "routines.not_found",
    );
    await api.patch(url, { as: owner.as, body: { sharing: "public" } });
    expect((await api.get(url, { as: other.as })).json).toMatchObject({
      access: "read",
      ownerId: owner.user.id,
    });
    expect(
      (await api.get(`${ROUTINES}?scope=public&searchString=LEG`, { as: other.as })).json.total,
    ).toBe(1);
    expect((await api.get(ROUTINES, { as: other.as })).json.total).toBe(0);
    expectProblem(
      await api.patch(url, { as: other.as, body: { name: "Mine" } }),
      404,
      "routines.not_found",
    );
    expectProblem(await api.delete(url, { as: other.as }), 404, "routines.not_found");
    const copy = await api.post(`${url}/clone`, { as: other.as, body: {} });
    expectStatus(copy, 201);
    // Only the name of the owner's own exercise is copied.
    expect(copy.json).toMatchObject({
      name: "Leg day",
      access: "owner",
      sharing: "private",
      ownerId: other.user.id,
    });
    expect(copy.json.exercises).toMatchObject([
      { exerciseName: "Zq Squat", exerciseId: expect.any(String) },
      { exerciseName: "Zq Own Press", exerciseId: null },
    ]);
    const twice = await api.post(`${url}/clone`, { as: owner.as, body: {} });
    expect(twice.json.name).toBe("Leg day (copy)");
  }),
);
