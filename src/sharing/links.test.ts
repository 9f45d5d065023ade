import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn, signedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { LINKS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

async function makeFixture(api: Api) {
  const owner = await makeSignedIn(api, { name: "Olga Owner" });
  const [system] = await api.deps.db.sql<{ id: string }[]>`
    select id from exercises where owner_id is null limit 1`;
  const own = await makeExercise(api, { owner: owner.user, name: "Olga's press" });
  const exercises = [system?.id, own].map((exerciseId) => ({
    exerciseId,
    mode: "reps",
    sets: 3,
    notes: "Slowly",
  }));
  const make = async (path: string, body: object) => {
    const answer = await api.post(`/api/v1/${path}`, { as: owner.as, body });
    expectStatus(answer, 201);
    return answer.json;
  };
  const routine = await make("routines", { name: "Legs", exercises });
  const other = await make("routines", { name: "Arms", exercises: [] });
  const routines = [
    { routineId: routine.id, day: 1 },
    { routineId: other.id, day: 2 },
    { routineId: routine.id, day: 3 },
  ];
  const plan = await make("plans", { name: "Strength", weeks: 8, routines });
  const link = (body: object, as = owner.as) => api.post(LINKS, { as, body });
  return { owner, system: system?.id, routine, other, plan, link };
}

test(
  "anyone with a link can read its routine, without personal data, in one statement",
  withApi(async (api) => {
    const { owner, system, routine, other, link } = await makeFixture(api);
    const created = await link({ routineId: routine.id });
    expectStatus(created, 201);
    const { token, path, ...fields } = created.json;
    expect(fields).toMatchObject({ routineId: routine.id, planId: null, name: "Legs" });
    expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(path).toBe(`/api/v1/linked/${token}`);
    const read = await api.get(path);
    expectStatus(read, 200);
    expect(read.headers.get("cache-control")).toBe("no-store");
    const exercises = routine.exercises.map((entry: { exerciseId: string }) => ({
      ...entry,
      exerciseId: entry.exerciseId === system ? system : null,
    }));
    const { id, name, description, updatedAt } = routine;
    expect(read.json).toEqual({
      plan: null,
      routines: [{ id, name, description, updatedAt, exercises }],
    });
    for (const text of [owner.user.id, owner.user.email, "Olga Owner", other.id])
      expect(read.text).not.toContain(text);
    expect(await statementsOf(() => api.get(path))).toHaveLength(1);
    expect(await statementsOf(() => link({ routineId: routine.id }))).toHaveLength(1);
    expect(await statementsOf(() => api.get(LINKS, { as: owner.as }))).toHaveLength(1);
  }),
);

test(
  "a linked plan shows its current routines, without any grant",
  withApi(async (api) => {
    const { owner, routine, other, plan, link } = await makeFixture(api);
    const { path } = (await link({ planId: plan.id })).json;
    const { id, name, description, difficulty, weeks, updatedAt, routines } = plan;
    const { json: first } = await api.get(path);
    expect(first.plan).toEqual({ id, name, description, difficulty, weeks, updatedAt, routines });
    expect(
      first.routines.map((linked: { id: string; name: string }) => [linked.name, linked.id]),
    ).toEqual([
      ["Arms", other.id],
      ["Legs", routine.id],
    ]);
    const url = `/api/v1/plans/${plan.id}`;
    await api.patch(url, {
      as: owner.as,
      body: { routines: [{ routineId: other.id, day: 1 }], sharing: "private" },
    });
    const { json: second } = await api.get(path);
    expect(second.routines.map((linked: { name: string }) => linked.name)).toEqual(["Arms"]);
    // A link grants no access to the plan itself.
    const stranger = await makeSignedIn(api);
    expectProblem(await api.get(url, { as: stranger.as }), 404, "plans.not_found");
  }),
);

test(
  "a link ends when it or its subject is deleted, and does not work while the owner's account is inactive",
  withApi(async (api) => {
    const { owner, routine, other, plan, link } = await makeFixture(api);
    const stranger = await makeSignedIn(api);
    const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
    const [routineLink, secondLink, planLink] = [
      (await link({ routineId: routine.id })).json,
      (await link({ routineId: routine.id })).json,
      (await link({ planId: plan.id })).json,
    ];
    expect(secondLink.token).not.toBe(routineLink.token);
    const expectNotFound = async ({ path }: { path: string }) =>
      expectProblem(await api.get(path), 404, "links.not_found", "Link not found");
    const activate = (isActive: boolean) =>
      api.patch(`/api/v1/users/${owner.user.id}`, { as: superuser.as, body: { isActive } });
    expectProblem(
      await api.delete(`${LINKS}/${routineLink.id}`, { as: stranger.as }),
      404,
      "links.not_found",
    );
    expectStatus(await api.delete(`${LINKS}/${routineLink.id}`, { as: owner.as }), 204);
    expectProblem(
      await api.delete(`${LINKS}/${routineLink.id}`, { as: owner.as }),
      404,
      "links.not_found",
    );
    await expectNotFound(routineLink);
    expectStatus(await api.get(secondLink.path), 200);
    expectStatus(await activate(false), 200);
    await expectNotFound(secondLink);
    await expectNotFound(planLink);
    expectStatus(await activate(true), 200);
    expectStatus(await api.get(planLink.path), 200);
    // Deactivation ended every login.
    const as = await signedIn(api, owner.user);
    expectStatus(await api.delete(`/api/v1/plans/${plan.id}`, { as }), 204);
    await expectNotFound(planLink);
    expectStatus(await api.get(secondLink.path), 200);
    expectStatus(await api.delete(`/api/v1/routines/${routine.id}`, { as }), 204);
    await expectNotFound(secondLink);
    expectStatus(await api.get(`/api/v1/routines/${other.id}`, { as }), 200);
  }),
);

test(
  "links are listed for their owner only, without their tokens",
  withApi(async (api) => {
    const { owner, routine, plan, link } = await makeFixture(api);
    expect((await api.get(LINKS, { as: owner.as })).json).toEqual([]);
    const links = [
      (await link({ routineId: routine.id })).json,
      (await link({ planId: plan.id })).json,
    ];
    const listed = await api.get(LINKS, { as: owner.as });
    const fields = links.map(({ token: _token, path: _path, ...rest }) => rest);
    expect(listed.json).toEqual(fields.reverse());
    for (const { token } of links) expect(listed.text).not.toContain(token);
    expect((await api.get(LINKS, { as: (await makeSignedIn(api)).as })).json).toEqual([]);
  }),
);

test(
  "a link needs exactly one own routine or plan, and an unknown or malformed token shows nothing",
  withApi(async (api) => {
    const { owner, routine, plan, link } = await makeFixture(api);
    expectProblem(await link({}), 422, "links.ambiguous_subject");
    expectProblem(
      await link({ routineId: routine.id, planId: plan.id }),
      422,
      "links.ambiguous_subject",
    );
    expectProblem(
      await link({ routineId: ABSENT }),
      404,
      "routines.not_found",
      "Routine not found",
    );
    expectProblem(await link({ planId: ABSENT }), 404, "plans.not_found", "Plan not found");
    // A grantee with write access cannot link it.
    const friend = await makeSignedIn(api);
    const body = { routineId: routine.id, email: friend.user.email, access: "write" };
    expectStatus(await api.post("/api/v1/grants", { as: owner.as, body }), 201);
    expectProblem(await link({ routineId: routine.id }, friend.as), 404, "routines.not_found");
    const { token } = (await link({ routineId: routine.id })).json;
    // Another base64url spelling of the same bytes is another token.
    const respelt = token.slice(0, -1) + String.fromCharCode(token.charCodeAt(21) + 1);
    for (const unknown of ["A".repeat(22), respelt]) {
      expectProblem(await api.get(`/api/v1/linked/${unknown}`), 404, "links.not_found");
    }
    for (const malformed of ["short", `${token}A`, `${token.slice(1)}%20`]) {
      expectProblem(await api.get(`/api/v1/linked/${malformed}`), 422, "invalid_request");
    }
  }),
);

test("a token is stored nowhere: not in the database, a stored reply, nor a log line", async () => {
  const lines: string[] = [];
  await withApi(
    async (api) => {
      const { owner, routine } = await makeFixture(api);
      const send = () =>
        api.post(LINKS, {
          as: owner.as,
          body: { routineId: routine.id },
          headers: { "idempotency-key": "key-of-a-link" },
        });
      const [first, second] = [await send(), await send()];
      expectStatus(second, 201);
      // The token cannot be replayed, so the second request creates another link.
      expect(second.json.token).not.toBe(first.json.token);
      for (const { json } of [first, second]) {
        expectStatus(await api.get(json.path), 200);
        const [stored] = await api.deps.db.sql`
          select (select string_agg(links::text, '') from links)
            || coalesce((select string_agg(idempotency_keys::text, '') from idempotency_keys), '')
            as text`;
        expect(stored?.text).not.toContain(json.token);
        expect(lines.join("")).not.toContain(json.token);
      }
      expect(lines.join("")).toContain('"route":"/api/v1/linked/:token"');
    },
    { logTo: { write: (line) => void lines.push(line) } },
  )();
});
