import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn } from "#test/harness.ts";
import { Device, type Stored, setsOf } from "#test/offline-device.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";

let database: OwnDatabase;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  api = await apiOn(database.pool);
});
afterAll(() => database.drop());

const DEVICES = 3;
const step = fc.record({
  device: fc.nat(DEVICES - 1),
  workout: fc.nat(2),
  reps: fc.integer({ min: 1, max: 20 }),
  action: fc.oneof(
    { weight: 8, arbitrary: fc.constant("add" as const) },
    { weight: 3, arbitrary: fc.constant("remove" as const) },
    { weight: 1, arbitrary: fc.constant("delete" as const) },
    { weight: 4, arbitrary: fc.constant("send" as const) },
    { weight: 2, arbitrary: fc.constant("send, answer lost" as const) },
    { weight: 2, arbitrary: fc.constant("batch lost" as const) },
    { weight: 3, arbitrary: fc.constant("old batch again" as const) },
    { weight: 3, arbitrary: fc.constant("pull" as const) },
  ),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The sets added to a workout and not removed. Only the device that added a set removes it. */
type AddedSets = Map<string, { reps: number; device: number }>;

async function makeFixture() {
  const { as } = await makeSignedIn(api);
  const workouts = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  const entries = new Map(workouts.map((id) => [id, Bun.randomUUIDv7()]));
  const deleted = new Set<string>();
  const entryOf = (id: string) => entries.get(id) as string;
  const devices = Array.from({ length: DEVICES }, () => new Device(api, as, entryOf, deleted));
  // One device created all workouts, before it went offline.
  const [first] = devices as [Device];
  for (const id of workouts) first.start(id);
  await first.send(first.batch(), false);
  for (const device of devices) await device.pull();
  return {
    as,
    workouts,
    devices,
    deleted,
    added: new Map(workouts.map((id): [string, AddedSets] => [id, new Map()])),
  };
}
type Fixture = Awaited<ReturnType<typeof makeFixture>>;

async function perform(
  { devices, workouts, added }: Fixture,
  { device: index, workout, reps, action }: Step,
) {
  const device = devices[index] as Device;
  const id = workouts[workout] as string;
  const sets = added.get(id) as AddedSets;
  switch (action) {
    case "add": {
      const setId = Bun.randomUUIDv7();
      if (device.addSet(id, setId, reps)) sets.set(setId, { reps, device: index });
      return;
    }
    case "remove": {
      const [own] = [...sets].find(([, { device }]) => device === index) ?? [];
      if (own !== undefined && device.removeSet(id, own)) sets.delete(own);
      return;
    }
    case "delete":
      return device.remove(id, reps % 2 === 0);
    case "pull":
      return device.pull();
    case "old batch again":
      return device.send(
        device.sentBefore[reps % Math.max(device.sentBefore.length, 1)] ?? [],
        true,
      );
    default: {
      const items = device.batch();
      device.sentBefore.push(items);
      if (action !== "batch lost") await device.send(items, action === "send, answer lost");
    }
  }
}

/** Workouts and their sets in a canonical order, for comparison. */
const canonical = (workouts: Iterable<readonly [string, Iterable<readonly [string, number]>]>) =>
  [...workouts]
    .map(([id, sets]) => `${id}: ${[...sets].map(([set, reps]) => `${set} ${reps}`).sort()}`)
    .sort();

async function expectConverged({ as, devices, workouts, added, deleted }: Fixture) {
  const remaining = workouts.filter((id) => !deleted.has(id));
  const expected = canonical(
    remaining.map((id) => [
      id,
      [...(added.get(id) as AddedSets)].map(([set, { reps }]) => [set, reps]),
    ]),
  );
  for (const device of devices) {
    expect(device.batch()).toEqual([]);
    expect(canonical([...device.copies].map(([id, { sets }]) => [id, sets]))).toEqual(expected);
  }
  const stored: [string, Map<string, number>][] = [];
  for (const id of workouts) {
    const { status, json } = await api.get(`/api/v1/workouts/${id}`, { as });
    if (status === 200) stored.push([id, setsOf(json as Stored)]);
  }
  expect(canonical(stored)).toEqual(expected);
}

test("three devices converge without lost or duplicate sets, though batches are lost, duplicated and late", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const fixture = await makeFixture();
      for (const action of steps) await perform(fixture, action);
      // All devices are online again, until no changes are left to send.
      for (let round = 0; round < DEVICES * 3; round++) {
        for (const device of fixture.devices) {
          await device.pull();
          await device.send(device.batch(), false);
        }
      }
      await expectConverged(fixture);
    }),
    { numRuns: 40 },
  );
}, 120_000);
