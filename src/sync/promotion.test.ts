import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectProblem, expectStatus } from "#test/harness.ts";
import { type ReplicatedPostgres, startReplicatedPostgres } from "#test/replicated-postgres.ts";
import type { Actor } from "../permissions/actor.ts";
import { listChangesPage } from "./changes.service.ts";

let replicated: ReplicatedPostgres;
let replica: Pool;
let onPrimary: Api;
beforeAll(async () => {
  replicated = await startReplicatedPostgres();
  onPrimary = await apiOn(replicated.primary, { nowMs: Date.now });
  replica = openPool(replicated.replicaUrl, { size: 4, prepare: true });
}, 60_000);
afterAll(async () => {
  await replica?.close();
  await replicated?.stop();
}, 60_000);

const startWorkout = async (api: Api, as: string) => {
  const answer = await api.post("/api/v1/workouts", { as, body: { timeZone: "UTC" } });
  expectStatus(answer, 201);
  return answer.json.id as string;
};
const getChanges = (api: Api, as: string, cursor?: string) =>
  api.get(`/api/v1/changes${cursor === undefined ? "" : `?cursor=${cursor}`}`, { as });
async function cursorOf(api: Api, as: string): Promise<string> {
  const page = await getChanges(api, as);
  expectStatus(page, 200);
  return page.json.nextCursor;
}

test("if a replica has not replayed the position of a cursor, the primary is read, and the cursor stays valid", async () => {
  const { as, user } = await makeSignedIn(onPrimary);
  await startWorkout(onPrimary, as);
  await replicated.catchUp();
  await replicated.pauseReplay();
  await startWorkout(onPrimary, as);
  const cursor = await cursorOf(onPrimary, as);
  const actor = { userId: user.id } as Actor;
  const page = await listChangesPage({ db: replica, primary: replicated.primary }, actor, {
    cursor,
  });
  expect(JSON.parse(page)).toEqual({ items: [], nextCursor: cursor, hasMore: false });
  await replicated.resumeReplay();
}, 60_000);

test("after a promotion every cursor from before is refused with 410, and a restart changes nothing", async () => {
  const { as } = await makeSignedIn(onPrimary);
  const replayed = await startWorkout(onPrimary, as);
  await replicated.catchUp();
  const before = await cursorOf(onPrimary, as);
  await replica.sql`select pg_promote(true, 60)`;
  // The old primary still accepts writes, which the new one never has; positions increase on both.
  for (let n = 0; n < 3; n++) await startWorkout(onPrimary, as);
  const lost = await cursorOf(onPrimary, as);

  let promoted = await apiOn(replica, { nowMs: Date.now });
  for (const cursor of [before, lost])
    expectProblem(await getChanges(promoted, as, cursor), 410, "changes.begin_again");
  const again = await getChanges(promoted, as);
  expect(again.json.items.map(({ id }: { id: string }) => id)).toEqual([replayed]);
  for (let n = 0; n < 50; n++) await startWorkout(promoted, as);
  expectProblem(await getChanges(promoted, as, lost), 410, "changes.begin_again");
  expect((await getChanges(promoted, as, again.json.nextCursor)).json.items).toHaveLength(50);

  const cursor = await cursorOf(promoted, as);
  await replica.close();
  await replicated.stopReplica();
  await replicated.startReplica();
  replica = openPool(replicated.replicaUrl, { size: 4, prepare: true });
  promoted = await apiOn(replica, { nowMs: Date.now });
  expectStatus(await getChanges(promoted, as, cursor), 200);
}, 120_000);
