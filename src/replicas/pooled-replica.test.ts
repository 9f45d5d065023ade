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

  test(`shows users their own writes at once in ${PAIRS} pairs, whatever replay does, even if each read uses another connection`, async () => {
    const users = await Promise.all(Array.from({ length: 4 }, app.makePerson));
    const before = await app.waitForReads(({ used }) => used === 2);
    const stopDisturbing = disturbReplay(app, 40);
    const unseen: number[] = [];
    const writeAndRead = async (as: string, pair: number) => {
      const body = { name: `Workout ${pair}`, timeZone: "UTC", exercises: [] };
      const created = await app.any().ask("POST", WORKOUTS, { as, body });
      expect(created.status).toBe(201);
      const { id } = (await created.json()) as { id: string };
      const list = await app.any().ask("GET", `${WORKOUTS}?pageSize=1`, { as });
      if (!(await list.text()).includes(id)) unseen.push(pair);
    };
    try {
      // Concurrently, so that transactions of several users share the pooler's connections.
      for (let pair = 0; pair < PAIRS; pair += users.length)
        await Promise.all(users.map(({ as }, index) => writeAndRead(as, pair + index)));
    } finally {
      await stopDisturbing();
    }
    expect(unseen).toEqual([]);
    const after = await app.reads();
    expect(after.answered).toBeGreaterThan(before.answered);
    expect(after.behind).toBeGreaterThan(before.behind);
    expect(after.failed).toBe(before.failed);
  });

  const faults = {
    "the replica": () => app.signalReplica("SIGKILL"),
    PgBouncer: () => process.kill(app.pooler?.current().pid as number, "SIGKILL"),
  };
  test.each(Object.entries(faults))(
    "fails no request when %s is killed, and is used again after the restart",
    async (_component, kill) => {
      const users = await Promise.all(Array.from({ length: 4 }, app.makePerson));
      for (const { as } of users) await app.any().ask("GET", WORKOUTS, { as });
      await app.catchUp();
      const before = await app.waitForReads(({ used }) => used === 2);
      const stopReading = keepReading(app, users);
      kill();
      const without = await app.waitForReads(({ failed }) => failed > before.failed);
      const back = await app.waitForReads(
        ({ answered, used }) => used === 2 && answered > without.answered,
      );
      expect(await stopReading()).toEqual([200]);
      expect(without.failed).toBeGreaterThan(before.failed);
      expect(back.used).toBe(2);
      expect(back.answered).toBeGreaterThan(without.answered);
    },
  );
});
