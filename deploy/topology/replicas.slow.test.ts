import { afterAll, beforeAll, expect, test } from "bun:test";
import { operatorSocketPath } from "#src/app/operator-socket.ts";
import { signUpPeople } from "#test/journal.ts";
import { WORKOUTS } from "#test/paths.ts";
import { describeTopology, openTopology, type TestTopology } from "#test/topology.ts";

describeTopology("a topology with replicas", () => {
  let topology: TestTopology;
  beforeAll(async () => {
    topology = await openTopology({ replicas: 2 });
  });
  afterAll(() => topology?.close());

  test("reads from replicas as the application's role, through all components of production", async () => {
    const { unix } = topology;
    const [cookie] = (await signUpPeople(unix, 1)) as [string];
    const headers = { cookie, "content-type": "application/json" };
    const body = JSON.stringify({ name: "Monday", timeZone: "UTC", exercises: [] });
    expect(
      (await fetch(`http://localhost${WORKOUTS}`, { unix, method: "POST", headers, body })).status,
    ).toBe(201);
    const answeredByReplicas = async () => {
      const sockets = topology.workers.current().sockets.map(operatorSocketPath);
      const texts = await Promise.all(
        sockets.map(async (socket) =>
          (await fetch("http://localhost/metrics", { unix: socket })).text(),
        ),
      );
      return texts
        .map((text) =>
          Number(/irontrack_replica_reads_total\{result="answered"\} (\d+)/.exec(text)?.[1]),
        )
        .reduce((a, b) => a + b);
    };
    for (let tries = 0; tries < 500 && (await answeredByReplicas()) === 0; tries++) {
      const answer = await fetch(`http://localhost${WORKOUTS}`, { unix, headers });
      expect(await answer.json()).toMatchObject({ items: [{ name: "Monday" }] });
    }
    expect(await answeredByReplicas()).toBeGreaterThan(0);
  });
});
