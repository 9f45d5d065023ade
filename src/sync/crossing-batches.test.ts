import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "#test/config.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn, expectStatus } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { openProcesses, type Processes, type ServingProcess } from "#test/processes.ts";
import { createTokens } from "../access/tokens.ts";
import { operatorSocketPath } from "../app/operator-socket.ts";

const ROUTINES = 30;
const MAX_ROUNDS = 100;
const dir = mkdtempSync(join(tmpdir(), "irontrack-crossing-"));
let database: OwnDatabase;
let processes: Processes;
let server: ServingProcess;
let api: Api;
beforeAll(async () => {
  database = await makeOwnDatabase();
  processes = await openProcesses(dir, database.url);
  server = await processes.start("one");
  api = await apiOn(database.pool, {
    deps: { tokens: createTokens(testConfig(), processes.keys) },
  });
});
afterAll(async () => {
  processes?.stop();
  await database?.drop();
  rmSync(dir, { recursive: true, force: true });
});

async function retries(): Promise<number> {
  const answer = await fetch("http://localhost/metrics", {
    unix: operatorSocketPath(join(dir, "one.sock")),
  });
  return Number(/^irontrack_reruns_total (\d+)$/m.exec(await answer.text())?.[1]);
}

/** Makes routines of `owner` that `friend` may write too; returns their versions by id. */
async function makeSharedRoutines(
  owner: { as: string },
  friend: { user: { email: string } },
): Promise<Map<string, number>> {
  const versions = new Map<string, number>();
  for (let n = 0; n < ROUTINES; n++) {
    const { as } = owner;
    const routine = { name: `Routine ${n}`, exercises: [] };
    const { id } = (await api.post("/api/v1/routines", { as, body: routine })).json;
    const body = { routineId: id, email: friend.user.email, access: "write" };
    expectStatus(await api.post("/api/v1/grants", { as, body }), 201);
    versions.set(id, (await api.get(`/api/v1/routines/${id}`, { as })).json.version);
  }
  return versions;
}

test("if two users' batches change the same entities in opposite order, both get an answer and each entity is changed once", async () => {
  const owner = await makeSignedIn(api);
  const friend = await makeSignedIn(api);
  const versions = await makeSharedRoutines(owner, friend);
  const ids = [...versions.keys()];
  const sync = async (user: "owner" | "friend", round: number, order: string[]) => {
    const { as } = user === "owner" ? owner : friend;
    const changes = order.map((id) => ({
      kind: "routine",
      id,
      baseVersion: versions.get(id),
      state: {
        name: `Routine ${ids.indexOf(id)}`,
        description: `By the ${user}, ${round}`,
        exercises: [],
      },
    }));
    const answer = await server.ask("POST", "/api/v1/sync", { as, body: { changes } });
    const { results } = (await answer.json()) as {
      results: { id: string; status: string; version: number }[];
    };
    expect(answer.status).toBe(200);
    return results;
  };
  // The batches deadlock in the middle, unless one ends before the other begins.
  let round = 1;
  for (; round <= MAX_ROUNDS && (await retries()) === 0; round++) {
    const results = await Promise.all([
      sync("owner", round, ids),
      sync("friend", round, ids.toReversed()),
    ]);
    for (const id of ids) {
      const outcomes = results.flat().filter((result) => result.id === id);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["applied", "conflict"]);
      versions.set(id, Math.max(...outcomes.map(({ version }) => version)));
    }
  }
  expect(await retries()).toBeGreaterThan(0);
});
