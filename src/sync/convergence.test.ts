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
  act: fc.oneof(
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

/**
 * Sets that were added to a workout and not removed, with who added them: only they remove them.
 */
type Added = Map<string, { reps: number; by: number }>;

async function makeWorld() {
  const { as } = await makeSignedIn(api);
  const workouts = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  const entries = new Map(workouts.map((id) => [id, Bun.randomUUIDv7()]));
  const deleted = new Set<string>();
  const entryOf = (id: string) => entries.get(id) as string;
  const devices = Array.from({ length: DEVICES }, () => new Device(api, as, entryOf, deleted));
  // One device made them all, before it lost its connection.
  const [first] = devices as [Device];
  for (const id of workouts) first.start(id);
  await first.send(first.batch(), false);
  for (const device of devices) await device.pull();
  return {
    as,
    workouts,
    devices,
    deleted,
    added: new Map(workouts.map((id): [string, Added] => [id, new Map()])),
  };
}
type World = Awaited<ReturnType<typeof makeWorld>>;

async function take({ devices, workouts, added }: World, { device: at, workout, reps, act }: Step) {
  const device = devices[at] as Device;
  const id = workouts[workout] as string;
  const sets = added.get(id) as Added;
  switch (act) {
    case "add": {
      const setId = Bun.randomUUIDv7();
      if (device.addSet(id, setId, reps)) sets.set(setId, { reps, by: at });
      return;
    }
    case "remove": {
      const [own] = [...sets].find(([, { by }]) => by === at) ?? [];
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
      if (act !== "batch lost") await device.send(items, act === "send, answer lost");
    }
  }
}

/** Workouts and their sets in an order that two of them can be compared by. */
const shown = (workouts: Iterable<readonly [string, Iterable<readonly [string, number]>]>) =>
  [...workouts]
    .map(([id, sets]) => `${id}: ${[...sets].map(([set, reps]) => `${set} ${reps}`).sort()}`)
    .sort();

async function expectConverged({ as, devices, workouts, added, deleted }: World) {
  const left = workouts.filter((id) => !deleted.has(id));
  const expected = shown(
    left.map((id) => [id, [...(added.get(id) as Added)].map(([set, { reps }]) => [set, reps])]),
  );
  for (const device of devices) {
    expect(device.batch()).toEqual([]);
    expect(shown([...device.copies].map(([id, { sets }]) => [id, sets]))).toEqual(expected);
  }
  const stored: [string, Map<string, number>][] = [];
  for (const id of workouts) {
    const { status, json } = await api.get(`/api/v1/workouts/${id}`, { as });
    if (status === 200) stored.push([id, setsOf(json as Stored)]);
  }
  expect(shown(stored)).toEqual(expected);
}

test("three devices whose batches are lost, doubled and come late converge: nothing is lost, nothing doubled", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const world = await makeWorld();
      for (const one of steps) await take(world, one);
      // Everyone is connected again, until there is nothing left to say.
      for (let round = 0; round < DEVICES * 3; round++) {
        for (const device of world.devices) {
          await device.pull();
          await device.send(device.batch(), false);
        }
      }
      await expectConverged(world);
    }),
    { numRuns: 40 },
  );
}, 120_000);
