import { expect, test } from "bun:test";
import { makeInvitation, makeSignedIn, makeUser } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { CLIENTS, TRAINERS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

const BOTH = ["read_history", "write_plans"];

test(
  "a trainer invites a user, who accepts some of the scopes, and both sides see the same",
  withApi(async (api) => {
    const { trainer, client, invitation, accept } = await makeInvitation(api);
    expect(invitation).toMatchObject({
      status: "invited",
      trainer: { id: trainer.user.id, name: "Toni", email: trainer.user.email },
      client: { id: client.user.id, name: null, email: client.user.email },
      askedScopes: BOTH,
      scopes: [],
      acceptedAt: null,
      endedAt: null,
    });
    const listBoth = async (query = "") => [
      (await api.get(`${CLIENTS}${query}`, { as: trainer.as })).json,
      (await api.get(`${TRAINERS}${query}`, { as: client.as })).json,
    ];
    expect(await listBoth()).toEqual([[invitation], [invitation]]);
    const accepted = await accept({ scopes: ["write_plans"] });
    expectStatus(accepted, 200);
    expect(accepted.json).toMatchObject({
      id: invitation.id,
      status: "accepted",
      client: { name: "Chris" },
      askedScopes: BOTH,
      scopes: ["write_plans"],
    });
    expect(await listBoth("?status=accepted")).toEqual([[accepted.json], [accepted.json]]);
    expect(await listBoth("?status=invited")).toEqual([[], []]);
    expect(await statementsOf(() => api.get(CLIENTS, { as: trainer.as }))).toHaveLength(1);
    expect(await statementsOf(() => api.get(TRAINERS, { as: client.as }))).toHaveLength(1);
  }),
);

test(
  "an invitation is accepted once, for all scopes by default, and the scopes change within what it asks for",
  withApi(async (api) => {
    const { client, invitation, accept } = await makeInvitation(api);
    const change = (scopes: string[]) =>
      api.patch(`${TRAINERS}/${invitation.id}`, { as: client.as, body: { scopes } });
    expectProblem(await change(BOTH), 409, "clients.not_accepted");
    expect((await accept()).json.scopes).toEqual(BOTH);
    expectProblem(await accept(), 409, "clients.accepted");
    expect((await change(["read_history"])).json).toMatchObject({
      scopes: ["read_history"],
      askedScopes: BOTH,
    });
    expect((await change(["write_plans", "read_history"])).json.scopes).toEqual(BOTH);
    for (const scopes of [[], ["read_history", "read_history"], ["sing"]]) {
      expectProblem(await change(scopes), 422, "invalid_request");
    }
  }),
);

test(
  "a client cannot allow scopes that the trainer did not ask for",
  withApi(async (api) => {
    const { client, invitation, accept } = await makeInvitation(api, ["read_history"]);
    expectProblem(await accept({ scopes: BOTH }), 422, "clients.beyond_invitation");
    expectProblem(await accept({ scopes: ["write_plans"] }), 422, "clients.beyond_invitation");
    expect((await accept()).json.scopes).toEqual(["read_history"]);
    const update = await api.patch(`${TRAINERS}/${invitation.id}`, {
      as: client.as,
      body: { scopes: BOTH },
    });
    expectProblem(update, 422, "clients.beyond_invitation");
    expect((await api.get(TRAINERS, { as: client.as })).json[0].scopes).toEqual(["read_history"]);
  }),
);

test.each([
  ["client", TRAINERS],
  ["trainer", CLIENTS],
] as const)(
  "the %s ends the relation once, and it stays in the list when another invitation follows",
  (side, path) =>
    withApi(async (api) => {
      const { trainer, client, invitation, accept } = await makeInvitation(api);
      await accept();
      const invite = () =>
        api.post(CLIENTS, {
          as: trainer.as,
          body: { email: client.user.email.toUpperCase(), scopes: ["write_plans"] },
        });
      expectProblem(await invite(), 409, "clients.exists");
      const { as } = { trainer, client }[side];
      const end = () => api.delete(`${path}/${invitation.id}`, { as });
      expectStatus(await end(), 204);
      expectProblem(await end(), 404, "clients.not_found", "Client not found");
      const ended = (await api.get(`${TRAINERS}?status=ended`, { as: client.as })).json;
      expect(ended).toMatchObject([{ id: invitation.id, status: "ended", scopes: BOTH }]);
      expect(ended[0].endedAt).not.toBeNull();
      const body = { scopes: BOTH };
      expectProblem(
        await api.patch(`${TRAINERS}/${invitation.id}`, { as: client.as, body }),
        404,
        "clients.not_found",
      );
      expectProblem(await accept(), 404, "clients.not_found");
      const second = await invite();
      expectStatus(second, 201);
      const listed = (await api.get(CLIENTS, { as: trainer.as })).json.map(
        ({ id }: { id: string }) => id,
      );
      expect(listed).toEqual([second.json.id, invitation.id]);
    })(),
);

test(
  "before acceptance, the client can decline an invitation and the trainer can withdraw it",
  withApi(async (api) => {
    const [declined, withdrawn] = [await makeInvitation(api), await makeInvitation(api)];
    expectStatus(
      await api.delete(`${TRAINERS}/${declined.invitation.id}`, { as: declined.client.as }),
      204,
    );
    expectStatus(
      await api.delete(`${CLIENTS}/${withdrawn.invitation.id}`, { as: withdrawn.trainer.as }),
      204,
    );
    for (const { accept } of [declined, withdrawn])
      expectProblem(await accept(), 404, "clients.not_found");
    // The trainer never sees the name of a client who did not accept.
    const [ended] = (await api.get(CLIENTS, { as: declined.trainer.as })).json;
    expect(ended).toMatchObject({ status: "ended", scopes: [], client: { name: null } });
  }),
);

test(
  "only trainers can invite, and only other active accounts, for at least one scope",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    const inactive = await makeUser(api, { isActive: false });
    const invite = (email: string, scopes = BOTH, context = as) =>
      api.post(CLIENTS, { as: context, body: { email, scopes } });
    expectProblem(await invite(user.email.toUpperCase()), 422, "clients.oneself");
    for (const email of ["nobody@example.com", inactive.email]) {
      expectProblem(await invite(email), 404, "users.not_found", "User not found");
    }
    const other = await makeSignedIn(api);
    expectProblem(await invite(other.user.email, []), 422, "invalid_request");
    expectProblem(await invite(user.email, BOTH, other.as), 403, "access.trainer_required");
    expect((await api.get(TRAINERS, { as: other.as })).json).toEqual([]);
  }),
);

test(
  "an invitation is visible only to its trainer and client, each on their own side",
  withApi(async (api) => {
    const { trainer, client, invitation } = await makeInvitation(api);
    const colleague = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    for (const { as } of [trainer, colleague]) {
      expectProblem(
        await api.post(`${TRAINERS}/${invitation.id}/accept`, { as, body: {} }),
        404,
        "clients.not_found",
      );
      expectProblem(
        await api.delete(`${TRAINERS}/${invitation.id}`, { as }),
        404,
        "clients.not_found",
      );
      expect((await api.get(TRAINERS, { as })).json).toEqual([]);
    }
    expectProblem(
      await api.delete(`${CLIENTS}/${invitation.id}`, { as: colleague.as }),
      404,
      "clients.not_found",
    );
    expect((await api.get(CLIENTS, { as: colleague.as })).json).toEqual([]);
    expectProblem(
      await api.delete(`${CLIENTS}/${invitation.id}`, { as: client.as }),
      403,
      "access.trainer_required",
    );
  }),
);
