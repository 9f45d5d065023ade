import { expect, test } from "bun:test";
import { makeSignedIn, makeUser, PASSWORD, signedIn } from "#test/fixtures.ts";
import { type Api, apiWithKeys, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { ROUTINES } from "#test/paths.ts";
import { generateKey } from "../access/keys.ts";

const create = (api: Api, as: string, key: string, name = "Legs") =>
  api.post(ROUTINES, { as, body: { name, exercises: [] }, headers: { "idempotency-key": key } });
const count = async (api: Api, as: string) =>
  (await api.get(ROUTINES, { as })).json.total as number;

test(
  "a request that is sent again with its key is answered as before, and done once",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const first = await create(api, as, "key-1");
    expectStatus(first, 201);
    const again = await create(api, as, "key-1");
    expectStatus(again, 201);
    expect([again.text, again.headers.get("content-type")]).toEqual([
      first.text,
      first.headers.get("content-type"),
    ]);
    expect([
      first.headers.get("idempotency-replayed"),
      again.headers.get("idempotency-replayed"),
    ]).toEqual([null, "true"]);
    expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    expect(await count(api, as)).toBe(1);
    const remove = () =>
      api.delete(`${ROUTINES}/${first.json.id}`, { as, headers: { "idempotency-key": "key-2" } });
    for (const gone of [await remove(), await remove()]) {
      expectStatus(gone, 204);
      expect([gone.text, gone.headers.get("content-type")]).toEqual(["", null]);
    }
  }),
);

test(
  "a key is one user's, and for one request",
  withApi(async (api) => {
    const [one, other] = [await makeSignedIn(api), await makeSignedIn(api)];
    expectStatus(await create(api, one.as, "key-1"), 201);
    const detail = "This Idempotency-Key came with another request before";
    expectProblem(await create(api, one.as, "key-1", "Arms"), 422, "idempotency.mismatch", detail);
    const theirs = await create(api, other.as, "key-1");
    expectStatus(theirs, 201);
    expect(theirs.json.ownerId).toBe(other.user.id);
    expect(await count(api, one.as)).toBe(1);
  }),
);

test(
  "a request that failed is not kept: it may be sent again",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const { json } = await create(api, as, "key-1");
    expectProblem(await create(api, as, "key-2"), 409, "routines.name_taken");
    await api.delete(`${ROUTINES}/${json.id}`, { as });
    expectStatus(await create(api, as, "key-2"), 201);
  }),
);

test(
  "while a request is under way its key is taken, for a minute at most; after a day it is free",
  withApi(async (api, { sql }) => {
    const { user, as } = await makeSignedIn(api);
    expectStatus(await create(api, as, "key-1"), 201);
    const back = async (status: number | null, age: string) =>
      sql`update idempotency_keys set status = ${status}, started_at = clock_timestamp() - ${age}::interval where user_id = ${user.id}`;
    await back(null, "30 seconds");
    expectProblem(await create(api, as, "key-1"), 409, "idempotency.in_flight");
    await back(null, "61 seconds");
    // Run again, which the name shows.
    expectProblem(await create(api, as, "key-1"), 409, "routines.name_taken");
    expectStatus(await create(api, as, "key-1", "Arms"), 201);
    await back(201, "25 hours");
    expectStatus(await create(api, as, "key-1", "Back"), 201);
    expect(await count(api, as)).toBe(3);
  }),
);

test(
  "a key that is none is refused, and nothing is done; reads and sign-ins take no notice of one",
  withApi(async (api) => {
    const { user, as } = await makeSignedIn(api);
    for (const key of ["", "a b", "ä", "x".repeat(256)]) {
      expectProblem(await create(api, as, key), 422, "idempotency.key_invalid");
    }
    expect(await count(api, as)).toBe(0);
    const headers = { "idempotency-key": "key-1" };
    expectStatus(await api.get(ROUTINES, { as, headers }), 200);
    const body = { username: user.email, password: PASSWORD };
    const cookies = async () =>
      (await api.post("/api/v1/access/signin", { body, headers })).headers.getSetCookie();
    expect(await cookies()).not.toEqual(await cookies());
  }),
);

test(
  "answers that set cookies are never kept",
  withApi(async (api, { sql }) => {
    const { user, as } = await makeSignedIn(api);
    const body = { currentPassword: PASSWORD, newPassword: "another battery staple" };
    expectStatus(
      await api.patch("/api/v1/access/password-update", {
        as,
        body,
        headers: { "idempotency-key": "key-1" },
      }),
      204,
    );
    expect(await sql`select from idempotency_keys where user_id = ${user.id}`).toHaveLength(0);
  }),
);

test(
  "a request that is sent again after the signing key was replaced is the same request",
  withApi(async (api, db) => {
    const [old, added] = [await generateKey(), await generateKey()];
    const [before, after] = [await apiWithKeys(db, old), await apiWithKeys(db, added, old)];
    const as = await signedIn(before, await makeUser(api));
    const first = await create(before, as, "key-1");
    expectStatus(first, 201);
    expect((await create(after, as, "key-1")).text).toBe(first.text);
    expectProblem(await create(after, as, "key-1", "Arms"), 422, "idempotency.mismatch");
  }),
);
