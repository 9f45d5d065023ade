import { expect, test } from "bun:test";
import { makeInvitation, makeSignedIn } from "#test/fixtures.ts";
import { type Answer, type Api, expectStatus, withApi } from "#test/harness.ts";
import { PLANS, ROUTINES } from "#test/paths.ts";

const SECRET = "Secret of the owner";

type World = Awaited<ReturnType<typeof world>>;

/** A client's routine and plan, named SECRET, which a friend and the client's trainer may write. */
async function world(api: Api) {
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
    const made = await api.post("/api/v1/grants", {
      as,
      body: { ...subject, email: friend.user.email, access: "write" },
    });
    expectStatus(made, 201);
    return `/api/v1/grants/${made.json.id}`;
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

/** Sends one after the other, because these tests have one connection. */
async function inTurn<T>(sends: (() => Promise<T>)[]): Promise<T[]> {
  const answers: T[] = [];
  for (const send of sends) answers.push(await send());
  return answers;
}

async function forAll(sends: (() => Promise<Answer>)[]) {
  for (const answer of await inTurn(sends)) if (answer.status >= 300) throw new Error(answer.text);
}

/** Actions of the owner or a superuser after which others may no longer write. */
const WITHDRAWALS: Record<string, { of: "friend" | "trainer"; run(world: World): Promise<void> }> =
  {
    "the grant ends": {
      of: "friend",
      run: ({ api, client, grants }) => forAll(grants.map((url) => () => api.delete(url, client))),
    },
    "the grant is for reading only": {
      of: "friend",
      run: ({ api, client: { as }, grants }) =>
        forAll(grants.map((url) => () => api.patch(url, { as, body: { access: "read" } }))),
    },
    "it becomes private": {
      of: "friend",
      run: ({ api, client: { as }, routine, plan }) =>
        forAll(
          [`${ROUTINES}/${routine.id}`, `${PLANS}/${plan.id}`].map(
            (url) => () => api.patch(url, { as, body: { sharing: "private" } }),
          ),
        ),
    },
    "it is deleted": {
      of: "friend",
      run: async ({ api, client, routine, plan }) => {
        await forAll([() => api.delete(`${PLANS}/${plan.id}`, client)]);
        await forAll([() => api.delete(`${ROUTINES}/${routine.id}`, client)]);
      },
    },
    "the client leaves": {
      of: "trainer",
      run: ({ api, client, invitation }) =>
        forAll([() => api.delete(`/api/v1/trainers/${invitation.id}`, client)]),
    },
    "the client allows the history only": {
      of: "trainer",
      run: ({ api, client: { as }, invitation }) =>
        forAll([
          () =>
            api.patch(`/api/v1/trainers/${invitation.id}`, {
              as,
              body: { scopes: ["read_history"] },
            }),
        ]),
    },
    "the trainer is none any more": {
      of: "trainer",
      run: ({ api, superuser: { as }, trainer }) =>
        forAll([
          () =>
            api.patch(`/api/v1/roles/${trainer.user.email}/revoke`, {
              as,
              body: { roleSlug: "fitness-trainer" },
            }),
        ]),
    },
    "the client is deactivated": {
      of: "trainer",
      run: ({ api, superuser: { as }, client }) =>
        forAll([
          () => api.patch(`/api/v1/users/${client.user.id}`, { as, body: { isActive: false } }),
        ]),
    },
  };

/** Requests whose answers show what is the owner's. */
const requests = (
  { api, routine, plan, trainersPlan, invitation }: World,
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

test.each(Object.keys(WITHDRAWALS))(
  "once %s, a stored answer is not replayed under its Idempotency-Key",
  (name) =>
    withApi(async (api) => {
      const it = await world(api);
      const { of, run } = WITHDRAWALS[name] as (typeof WITHDRAWALS)[string];
      const sent = requests(it, it[of].as, of === "trainer");
      const [first, again] = [await inTurn(sent), await inTurn(sent)];
      expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
      for (const { headers } of again) expect(headers.get("idempotency-replayed")).toBe("true");
      await run(it);
      for (const send of sent) {
        const refused = await send();
        expect([refused.status, refused.text.includes(SECRET)]).toEqual([
          refused.status === 403 ? 403 : 404,
          false,
        ]);
      }
    })(),
);

test(
  "the answer of a batch that shows stored things is not replayed, but read again each time",
  withApi(async (api) => {
    const it = await world(api);
    const changes = [
      {
        kind: "routine",
        id: it.routine.id,
        baseVersion: 77,
        state: { name: "Mine", exercises: [] },
      },
      { kind: "plan", id: it.plan.id, baseVersion: 77, state: { name: "Mine", routines: [] } },
    ];
    const send = () =>
      api.post("/api/v1/sync", {
        as: it.friend.as,
        body: { changes },
        headers: { "idempotency-key": "key-1" },
      });
    const first = await send();
    expectStatus(first, 200);
    expect(
      first.json.results.map(({ current }: { current: { name: string } }) => current.name),
    ).toEqual([SECRET, SECRET]);
    await WITHDRAWALS["the grant ends"]?.run(it);
    const again = await send();
    expectStatus(again, 200);
    expect(again.text).not.toContain(SECRET);
  }),
);
