import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { HEVY_HEADER, hevyRow, importFile, listFullWorkouts } from "#test/imports.ts";
import { IMPORTS } from "#test/paths.ts";

test(
  "an unknown name gets proposals, and a choice applies to later imports",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api);
    const stranger = await makeSignedIn(api);
    const own = await makeExercise(api, { owner: user, name: "Zqx Garage Press" });
    const foreign = await makeExercise(api, { owner: stranger.user, name: "Zqx Foreign Press" });
    const importNames = async (day: number, exercise: string) =>
      (await importFile(api, as, [HEVY_HEADER, hevyRow(day, exercise, 50)])).names;
    const [unknown] = await importNames(1, "Zqx Garage Pres");
    expect(unknown).toMatchObject({ exerciseId: null, by: null, proposals: [{ exerciseId: own }] });
    expect(
      unknown.proposals.map(({ exerciseId }: { exerciseId: string }) => exerciseId),
    ).not.toContain(foreign);
    expect(await importNames(2, "zqx  GARAGE press")).toMatchObject([
      { exerciseId: own, by: "name", proposals: [] },
    ]);

    const choose = (exerciseId: string | null) =>
      api.patch(`${IMPORTS}/names`, {
        as,
        body: { names: [{ name: "Zqx Garage Pres", exerciseId }] },
      });
    expectProblem(await choose(foreign), 404, "imports.exercise_not_found");
    const chosen = [{ name: "Zqx Garage Pres", exerciseId: own, exerciseName: "Zqx Garage Press" }];
    expect((await choose(own)).json).toEqual(chosen);
    expect((await api.get(`${IMPORTS}/names`, { as })).json).toEqual(chosen);
    expect((await api.get(`${IMPORTS}/names`, { as: stranger.as })).json).toEqual([]);
    expect(await importNames(3, "Zqx Garage Pres")).toMatchObject([
      { exerciseId: own, by: "chosen" },
    ]);
    expect((await choose(null)).json).toEqual([]);
    expect(await importNames(4, "Zqx Garage Pres")).toMatchObject([{ exerciseId: null }]);
    // An exercise without a match keeps the name from the file.
    const latest = (await listFullWorkouts(api, as))[0]?.exercises[0];
    expect(latest).toMatchObject({ exerciseId: null, exerciseName: "Zqx Garage Pres" });
  }),
);

test(
  "undoing an import moves its workouts to the trash, except edited ones, and the file can be imported again",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api);
    const press = await makeExercise(api, { owner: user, name: "Zqx Press" });
    const stranger = await makeSignedIn(api);
    const file = [
      HEVY_HEADER,
      hevyRow(1, "Zqx Press", 50),
      hevyRow(2, "Zqx Press", 60),
      hevyRow(3, "Zqx Press", 70),
    ];
    const { importId } = await importFile(api, as, file);
    const [latest] = (await api.get("/api/v1/workouts", { as })).json.items;
    expectStatus(
      await api.patch(`/api/v1/workouts/${latest.id}`, { as, body: { notes: "Mine" } }),
      200,
    );
    // Deleting the exercise that the workouts refer to does not count as an edit.
    expect((await listFullWorkouts(api, as)).map(({ exercises }) => exercises)).toMatchObject(
      [1, 2, 3].map(() => [{ exerciseId: press }]),
    );
    expectStatus(await api.delete(`/api/v1/exercises/${press}`, { as }), 204);
    const undo = (user: string) => api.post(`${IMPORTS}/${importId}/undo`, { as: user });
    expectProblem(await undo(stranger.as), 404, "imports.not_found");
    expect((await undo(as)).json).toEqual({ trashed: 2, kept: 1 });
    expectProblem(await undo(as), 404, "imports.not_found");
    expect(
      (await listFullWorkouts(api, as)).map(({ startedAt }) => startedAt.slice(8, 10)),
    ).toEqual(["03"]);
    expect((await api.get("/api/v1/workouts/trash", { as })).json).toHaveLength(2);
    expect((await api.get(IMPORTS, { as })).json).toMatchObject([
      { id: importId, undoneAt: expect.any(String) },
    ]);
    expect((await importFile(api, as, file)).workouts).toEqual({ added: 2, known: 1 });
  }),
);
