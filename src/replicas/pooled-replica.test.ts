import { afterAll, beforeAll, expect, test } from "bun:test";
import { WORKOUTS } from "#test/paths.ts";
import {
  disturbReplay,
  keepReading,
  type ReplicatedApp,
  startReplicatedApp,
} from "#test/replicated-app.ts";
import { describeTopology } from "#test/topology.ts";

const PAIRS = 100;

describeTopology("a replica behind PgBouncer", () => {
  let app: ReplicatedApp;
  beforeAll(async () => {
    app = await startReplicatedApp({ pooled: true });
  });
  afterAll(() => app?.stop());

  test(`shows own writes at once in ${PAIRS} pairs, whatever replay does, though each read may have another connection`, async () => {
    const people = await Promise.all(Array.from({ length: 4 }, app.makePerson));
    const before = await app.readsWhen(({ used }) => used === 2);
    const stopDisturbing = disturbReplay(app, 40);
    const unseen: number[] = [];
    const writeAndRead = async (as: string, pair: number) => {
      const body = { name: `Workout ${pair}`, timeZone: "UTC", exercises: [] };
      const made = await app.any().ask("POST", WORKOUTS, { as, body });
      expect(made.status).toBe(201);
      const { id } = (await made.json()) as { id: string };
      const listed = await app.any().ask("GET", `${WORKOUTS}?pageSize=1`, { as });
      if (!(await listed.text()).includes(id)) unseen.push(pair);
    };
    try {
      // At once, so that the transactions of several share the pooler's connections.
      for (let pair = 0; pair < PAIRS; pair += people.length)
        await Promise.all(people.map(({ as }, at) => writeAndRead(as, pair + at)));
    } finally {
      await stopDisturbing();
    }
    expect(unseen).toEqual([]);
    const after = await app.reads();
    expect(after.answered).toBeGreaterThan(before.answered);
    expect(after.behind).toBeGreaterThan(before.behind);
    expect(after.failed).toBe(before.failed);
  });

  const harms = {
    "the replica": () => app.signalReplica("SIGKILL"),
    PgBouncer: () => process.kill(app.pooler?.current().pid as number, "SIGKILL"),
  };
  test.each(Object.entries(harms))(
    "fails no request when %s is killed, and is used again when it is back",
    async (_what, harm) => {
      const people = await Promise.all(Array.from({ length: 4 }, app.makePerson));
      for (const { as } of people) await app.any().ask("GET", WORKOUTS, { as });
      await app.catchUp();
      const before = await app.readsWhen(({ used }) => used === 2);
      const stopReading = keepReading(app, people);
      harm();
      const without = await app.readsWhen(({ failed }) => failed > before.failed);
      const back = await app.readsWhen(
        ({ answered, used }) => used === 2 && answered > without.answered,
      );
      expect(await stopReading()).toEqual([200]);
      expect(without.failed).toBeGreaterThan(before.failed);
      expect(back.used).toBe(2);
      expect(back.answered).toBeGreaterThan(without.answered);
    },
  );
});
