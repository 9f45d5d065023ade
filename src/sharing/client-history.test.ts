import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeInvitation, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { statementsOf } from "#test/transaction.ts";

const PERIOD = "/progress/volume?from=2026-01-01&to=2026-12-31";

async function makeFixture(api: Api) {
  const { trainer, client, invitation, accept } = await makeInvitation(api, ["read_history"]);
  await accept();
  const own = await makeExercise(api, {
    owner: client.user,
    name: `Own ${client.user.id}`,
    imagePathStart: "/a.jpg",
  });
  const log = async (as: string, day: number, exerciseId: string) => {
    const startedAt = `2026-05-0${day}T10:00:00Z`;
    const exercises = [
      { exerciseId, mode: "reps", sets: [{ reps: 5, weight: 50 + day, weightUnit: "kg" }] },
    ];
    const body = {
      startedAt,
      endedAt: `2026-05-0${day}T11:00:00Z`,
      timeZone: "UTC",
      notes: "felt good",
      exercises,
    };
    const answer = await api.post("/api/v1/workouts", { as, body });
    expectStatus(answer, 201);
    return answer.json;
  };
  const workouts = [
    await log(client.as, 1, own),
    await log(client.as, 2, own),
    await log(client.as, 3, own),
  ];
  const path = `/api/v1/clients/${invitation.id}`;
  return { trainer, client, own, workouts, log, path, relationId: invitation.id as string };
}

test(
  "a trainer reads a client's history exactly as the client does, in two statements each",
  withApi(async (api) => {
    const { trainer, client, own, workouts, path } = await makeFixture(api);
    for (const read of [
      "/workouts",
      "/workouts?from=2026-05-02T00:00:00Z",
      `/workouts/${workouts[0].id}`,
      `/progress/exercises/${own}/records?formula=brzycki`,
      PERIOD,
    ]) {
      const ownView = await api.get(`/api/v1${read}`, { as: client.as });
      expectStatus(ownView, 200);
      const trainerView = await api.get(`${path}${read}`, { as: trainer.as });
      expect(trainerView.text).toBe(ownView.text);
      expect(await statementsOf(() => api.get(`${path}${read}`, { as: trainer.as }))).toHaveLength(
        2,
      );
    }
    // The client's user id is not accepted, and the trainer's own history is not affected.
    expectProblem(
      await api.get(`/api/v1/clients/${client.user.id}/workouts`, { as: trainer.as }),
      404,
      "clients.not_found",
    );
    expect((await api.get("/api/v1/workouts", { as: trainer.as })).json.items).toEqual([]);
  }),
);

test(
  "a client's workouts are paged, and a malformed cursor is refused",
  withApi(async (api) => {
    const { trainer, workouts, path } = await makeFixture(api);
    const page = async (query: string) =>
      (await api.get(`${path}/workouts?${query}`, { as: trainer.as })).json;
    const first = await page("pageSize=2");
    const second = await page(`pageSize=2&cursor=${first.nextCursor}`);
    const ids = [...first.items, ...second.items].map(({ id }: { id: string }) => id);
    expect(ids).toEqual(workouts.map(({ id }) => id).reverse());
    expect(second.nextCursor).toBeNull();
    const malformed = await api.get(`${path}/workouts?cursor=abc`, { as: trainer.as });
    expectProblem(malformed, 422, "invalid_request");
  }),
);

test(
  "a trainer sees neither the trash nor other users' workouts, and malformed ids are refused",
  withApi(async (api) => {
    const { trainer, client, own, workouts, log, path } = await makeFixture(api);
    const stranger = await makeSignedIn(api);
    const foreign = await log(
      stranger.as,
      4,
      await makeExercise(api, { owner: stranger.user, name: "Foreign" }),
    );
    for (const id of [foreign.id, ABSENT]) {
      expectProblem(
        await api.get(`${path}/workouts/${id}`, { as: trainer.as }),
        404,
        "workouts.not_found",
      );
    }
    await api.delete(`/api/v1/workouts/${workouts[2].id}`, { as: client.as });
    expectProblem(
      await api.get(`${path}/workouts/${workouts[2].id}`, { as: trainer.as }),
      404,
      "workouts.not_found",
    );
    expect((await api.get(`${path}/workouts`, { as: trainer.as })).json.items).toHaveLength(2);
    const unknownExercise = await api.get(`${path}/progress/exercises/${ABSENT}/records`, {
      as: trainer.as,
    });
    expect(unknownExercise.json).toMatchObject({ estimateMissing: "no_sets", repsAtWeight: [] });
    for (const read of ["/workouts", `/progress/exercises/${own}/records`, PERIOD]) {
      expectProblem(
        await api.get(`${path}${read}`, { as: client.as }),
        403,
        "access.trainer_required",
      );
      expectProblem(
        await api.get(`/api/v1/clients/nobody${read}`, { as: trainer.as }),
        422,
        "invalid_request",
      );
    }
  }),
);

test(
  "a trainer reads a client's own exercise until the relation ends, and no cached reply is served afterwards",
  withApi(
    async (api) => {
      const { trainer, client, own, relationId } = await makeFixture(api);
      const read = (headers = {}) =>
        api.get(`/api/v1/exercises/${own}`, { as: trainer.as, headers });
      const reply = await read();
      expect(reply.json).toMatchObject({ id: own, createdBy: client.user.id });
      expect(reply.text).toBe((await api.get(`/api/v1/exercises/${own}`, { as: client.as })).text);
      const etag = reply.headers.get("etag") as string;
      expect((await read({ "if-none-match": etag })).status).toBe(304);
      expect(await statementsOf(read)).toHaveLength(2);
      const renamed = await api.patch(`/api/v1/exercises/user/${own}`, {
        as: client.as,
        body: { name: "Renamed" },
      });
      expectStatus(renamed, 200);
      expect((await read()).json.name).toBe("Renamed");
      // Lists and searches stay the trainer's own.
      expect((await api.get("/api/v1/exercises?scope=user", { as: trainer.as })).json.total).toBe(
        0,
      );
      expectProblem(
        await api.get("/api/v1/exercises/criteria?name=Renamed", { as: trainer.as }),
        404,
        "exercises.not_found",
      );
      const update = await api.patch(`/api/v1/exercises/user/${own}`, {
        as: trainer.as,
        body: { name: "Taken" },
      });
      expectProblem(update, 404, "exercises.not_found");
      expectStatus(await api.delete(`/api/v1/trainers/${relationId}`, { as: client.as }), 204);
      expectProblem(
        await read({ "if-none-match": etag }),
        404,
        "exercises.not_found",
        "Exercise not found",
      );
    },
    { settings: { CDN_RESOURCES_URL: "https://images.example.com" } },
  ),
);

test(
  "a trainer still gets cached exercises without a statement",
  withApi(async (api) => {
    const { trainer } = await makeFixture(api);
    const [system] = await api.deps.db.sql<{ id: string }[]>`
      select id from exercises where owner_id is null limit 1`;
    const own = await makeExercise(api, { owner: trainer.user, name: "Mine" });
    for (const id of [system?.id, own]) {
      const read = () => api.get(`/api/v1/exercises/${id}`, { as: trainer.as });
      expectStatus(await read(), 200);
      expect(await statementsOf(read)).toHaveLength(0);
    }
  }),
);
