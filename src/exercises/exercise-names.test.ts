import { expect, test } from "bun:test";
import { MINIMAL_EXERCISE, SYSTEM_EXERCISE } from "#test/exercise-bodies.ts";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { EXERCISES } from "#test/paths.ts";

test(
  "names are unique within an account, whatever their case, but not across accounts",
  withApi(async (api) => {
    const [user, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    expectStatus(await api.post(`${EXERCISES}/user`, { as: user.as, body: MINIMAL_EXERCISE }), 201);
    const name = "zq  PRESS";
    expectProblem(
      await api.post(`${EXERCISES}/user`, { as: user.as, body: { ...MINIMAL_EXERCISE, name } }),
      409,
      "exercises.name_taken",
      "An exercise with the name 'zq PRESS' already exists in your account. Please choose a different name",
    );
    expectStatus(
      await api.post(`${EXERCISES}/user`, { as: other.as, body: MINIMAL_EXERCISE }),
      201,
    );
    // A system exercise with the same name does not matter.
    expectStatus(
      await api.post(`${EXERCISES}/user`, {
        as: user.as,
        body: { ...MINIMAL_EXERCISE, name: "One-Arm Push-Up" },
      }),
      201,
    );
    const second = await api.post(`${EXERCISES}/user`, {
      as: user.as,
      body: { ...MINIMAL_EXERCISE, name: "Zq Curl" },
    });
    const renamed = await api.patch(`${EXERCISES}/user/${second.json.id}`, {
      as: user.as,
      body: { name: "ZQ PRESS" },
    });
    expectProblem(renamed, 409, "exercises.name_taken");
    expectStatus(
      await api.patch(`${EXERCISES}/user/${second.json.id}`, {
        as: user.as,
        body: { name: "ZQ CURL" },
      }),
      200,
    );
  }),
);

test.each(["one arm push up", "Öne-Arm   Push-Up!", "ONE-ARM PUSH-UP"])(
  "a name like %p is rejected for a second system exercise",
  async (name) => {
    await withApi(async (api) => {
      const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
      const normalized = name.replace(/\s+/g, " ");
      const detail = `Exercise '${normalized}' cannot be created: a similar exercise (with matching normalized naming) already exists in the system`;
      expectProblem(
        await api.post(`${EXERCISES}/system`, { as, body: { ...SYSTEM_EXERCISE, name } }),
        409,
        "exercises.name_taken",
        detail,
      );
      const id = await makeExercise(api, { name: "Zq Other" });
      expectProblem(
        await api.patch(`${EXERCISES}/system/${id}`, { as, body: { name } }),
        409,
        "exercises.name_taken",
        detail,
      );
    })();
  },
);

test(
  "a name without ASCII letters has a slug too",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    for (const name of ["深蹲运动", "!!!"]) {
      const created = await api.post(`${EXERCISES}/system`, {
        as,
        body: { ...SYSTEM_EXERCISE, name },
      });
      expectStatus(created, 201);
      expect(created.json.slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(
        (await api.get(`${EXERCISES}/criteria?slug=${created.json.slug}`, { as })).json.name,
      ).toBe(name);
    }
  }),
);
