import fc from "fast-check";
import { openPool, type Pool } from "#db/client.ts";
import { edits, makeFixtures, readModel } from "./concurrent-edits.ts";
import { makeSignedIn } from "./fixtures.ts";
import { type Api, apiOn } from "./harness.ts";
import { makeOwnDatabase } from "./own-database.ts";
import { isSerial, send } from "./serial-order.ts";
import { canPrepare } from "./transaction.ts";

/** As many connections as edits of one round, doubled ones apart. */
const CONNECTIONS = 8;

/**
 * Makes `rounds` rounds of edits at once, each on things of its own, and fails for one that no
 * serial order explains.
 */
export async function expectSerialRounds(rounds: number): Promise<void> {
  const database = await makeOwnDatabase();
  const pool = openPool(database.url, {
    size: CONNECTIONS,
    prepare: canPrepare(),
    admission: patientAdmission,
  });
  try {
    const api = await apiOn(pool);
    const { as } = await makeSignedIn(api);
    const property = fc.asyncProperty(edits, (acts) => expectSerial(api, as, acts));
    await fc.assert(property, { numRuns: rounds, endOnFailure: true });
  } finally {
    await (pool as Pool).close();
    await database.drop();
  }
}

async function expectSerial(
  api: Api,
  as: string,
  acts: Parameters<typeof send>[1][],
): Promise<void> {
  const fixtures = await makeFixtures(api, as);
  const made = await Promise.all(acts.flatMap((act) => send(fixtures, act)));
  const end = await readModel(fixtures);
  const isAnswered = made.every(({ status }) => [200, 201, 204, 404, 409].includes(status));
  if (isAnswered && isSerial(fixtures.start, made, end)) return;
  const story = [fixtures.start, ...made.map(({ what }) => what), end];
  throw new Error(
    story.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );
}

/** Refuses nothing, and runs again what a deadlock undid, as the server does. */
export const patientAdmission = {
  context: () => undefined,
  maxRequests: 1000,
  maxQueued: 1000,
  maxWaitMs: 60_000,
  maxRetries: 2,
  slowMs: Number.POSITIVE_INFINITY,

  onSlow: () => {},
};
