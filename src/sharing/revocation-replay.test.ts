import { expect, test } from "bun:test";
import { makeInvitation, makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, expectStatus, withApi } from "#test/harness.ts";
import { PLANS, ROUTINES } from "#test/paths.ts";

const SECRET = "Secret of the owner";

type Fixture = Awaited<ReturnType<typeof makeFixture>>;

/** A client's routine and plan, named SECRET, which a friend and the client's trainer may write. */
async function makeFixture(api: Api) {
  const { trainer, client, invitation, accept } = await makeInvitation(api);
  expectStatus(await accept(), 200);
  const friend = await makeSignedIn(api);
  const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
  const as = client.as;
  const routine = (await api.post(ROUTINES, { as, body: { name: SECRET, exercises: [] } })).json;
  const routines = [{ routineId: routine.id, day: 1 }];
  const plan = (await api.post(PLANS, { as, body: { name: SECRET, routines } })).json;
  const trainersPlan = (
    await api.post(PLANS, { as: trainer.as, body: { name: "Strength", routines: [] } })
  ).json;
  const grant = async (subject: object) => {
    const answer = await api.post("/api/v1/grants", {
      as,
      body: { ...subject, email: friend.user.email, access: "write" },
    });
    expectStatus(answer, 201);
    return `/api/v1/grants/${answer.json.id}`;
  };
  const grants = [await grant({ routineId: routine.id }), await grant({ planId: plan.id })];
  return {
    api,
    trainer,
    client,
    friend,
    superuser,
    invitation,
    routine,
    plan,
    trainersPlan,
    grants,
  };
}

/** Sends requests one after the other, because these tests have one connection. */
async function sendAll<T>(sends: (() => Promise<T>)[]): Promise<T[]> {
  const answers: T[] = [];
  for (const send of sends) answers.push(await send());
  return answers;
}

async function sendAllOk(sends: (() => Promise<Answer>)[]) {
  for (const answer of await sendAll(sends)) if (answer.status >= 300) throw new Error(answer.text);
}

/** Actions of the owner or a superuser that revoke the access of a friend or trainer. */
const REVOCATIONS: Record<
  string,
  { from: "friend" | "trainer"; run(fixture: Fixture): Promise<void> }
> = {
  "the grant ends": {
    from: "friend",
    run: ({ api, client, grants }) => sendAllOk(grants.map((url) => () => api.delete(url, client))),
  },
  "the grant is reduced to read access": {
    from: "friend",
    run: ({ api, client: { as }, grants }) =>
      sendAllOk(grants.map((url) => () => api.patch(url, { as, body: { access: "read" } }))),
  },
  "the routine and plan become private": {
    from: "friend",
    run: ({ api, client: { as }, routine, plan }) =>
      sendAllOk(
        [`${ROUTINES}/${routine.id}`, `${PLANS}/${plan.id}`].map(
          (url) => () => api.patch(url, { as, body: { sharing: "private" } }),
        ),
      ),
  },
  "the routine and plan are deleted": {
    from: "friend",
    run: async ({ api, client, routine, plan }) => {
      await sendAllOk([() => api.delete(`${PLANS}/${plan.id}`, client)]);
      await sendAllOk([() => api.delete(`${ROUTINES}/${routine.id}`, client)]);
    },
  },
  "the client leaves": {
    from: "trainer",
    run: ({ api, client, invitation }) =>
      sendAllOk([() => api.delete(`/api/v1/trainers/${invitation.id}`, client)]),
  },
  "the client allows only reading the history": {
    from: "trainer",
    run: ({ api, client: { as }, invitation }) =>
      sendAllOk([
        () =>
          api.patch(`/api/v1/trainers/${invitation.id}`, {
            as,
            body: { scopes: ["read_history"] },
          }),
      ]),
  },
  "the trainer loses the role": {
    from: "trainer",
    run: ({ api, superuser: { as }, trainer }) =>
      sendAllOk([
        () =>
          api.patch(`/api/v1/roles/${trainer.user.email}/revoke`, {
            as,
            body: { roleSlug: "fitness-trainer" },
          }),
      ]),
  },
  "the client is deactivated": {
    from: "trainer",
    run: ({ api, superuser: { as }, client }) =>
      sendAllOk([
        () => api.patch(`/api/v1/users/${client.user.id}`, { as, body: { isActive: false } }),
      ]),
  },
};

/** Requests whose replies contain data of the owner. */
const requests = (
  { api, routine, plan, trainersPlan, invitation }: Fixture,
  as: string,
  isTrainer: boolean,
) => {
  const send = (method: string, path: string, body: unknown) => () =>
    api.ask(method, path, { as, body, headers: { "idempotency-key": `${method}-${path}` } });
  const description = isTrainer ? "By the trainer" : "By the friend";
  return [
    send("PATCH", `${ROUTINES}/${routine.id}`, { description }),
    send("PATCH", `${PLANS}/${plan.id}`, { description }),
    ...(isTrainer
      ? [send("POST", `${PLANS}/${trainersPlan.id}/assign`, { clientIds: [invitation.id] })]
      : []),
  ];
};

test.each(Object.keys(REVOCATIONS))(
  "once %s, repeating an Idempotency-Key does not replay the stored reply",
  (name) =>
    withApi(async (api) => {
      const fixture = await makeFixture(api);
      const { from, run } = REVOCATIONS[name] as (typeof REVOCATIONS)[string];
      const sends = requests(fixture, fixture[from].as, from === "trainer");
      const [first, second] = [await sendAll(sends), await sendAll(sends)];
      expect(second.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
      for (const { headers } of second) expect(headers.get("idempotency-replayed")).toBe("true");
      await run(fixture);
      for (const send of sends) {
        const refused = await send();
        expect([refused.status, refused.text.includes(SECRET)]).toEqual([
          refused.status === 403 ? 403 : 404,
          false,
        ]);
      }
    })(),
);

test(
  "a sync reply that contains stored entities is computed again each time, not replayed",
  withApi(async (api) => {
    const fixture = await makeFixture(api);
    const changes = [
      {
        kind: "routine",
        id: fixture.routine.id,
        baseVersion: 77,
        state: { name: "Mine", exercises: [] },
      },
      { kind: "plan", id: fixture.plan.id, baseVersion: 77, state: { name: "Mine", routines: [] } },
    ];
    const send = () =>
      api.post("/api/v1/sync", {
        as: fixture.friend.as,
        body: { changes },
        headers: { "idempotency-key": "key-1" },
      });
    const first = await send();
    expectStatus(first, 200);
    expect(
      first.json.results.map(({ current }: { current: { name: string } }) => current.name),
    ).toEqual([SECRET, SECRET]);
    await REVOCATIONS["the grant ends"]?.run(fixture);
    const second = await send();
    expectStatus(second, 200);
    expect(second.text).not.toContain(SECRET);
  }),
);
