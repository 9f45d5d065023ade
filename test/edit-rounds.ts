import fc from "fast-check";
import { openPool, type Pool } from "#db/client.ts";
import { type EditRequest, edits, makeFixtures, readModel } from "./concurrent-edits.ts";
import { makeSignedIn } from "./fixtures.ts";
import { type Api, apiOn } from "./harness.ts";
import { makeOwnDatabase } from "./own-database.ts";
import { isSerial, send } from "./serial-order.ts";
import { canPrepare } from "./transaction.ts";

/** The maximum number of edits of a round, not counting those sent twice. */
const CONNECTIONS = 8;

/**
 * Sends `rounds` rounds of concurrent edits, each on new fixtures, and fails unless the result of
 * each round equals that of some serial order.
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
    const property = fc.asyncProperty(edits, (requests) => expectSerial(api, as, requests));
    await fc.assert(property, { numRuns: rounds, endOnFailure: true });
  } finally {
    await (pool as Pool).close();
    await database.drop();
  }
}

async function expectSerial(api: Api, as: string, requests: EditRequest[]): Promise<void> {
  const fixtures = await makeFixtures(api, as);
  const results = await Promise.all(requests.flatMap((request) => send(fixtures, request)));
  const end = await readModel(fixtures);
  const isAnswered = results.every(({ status }) => [200, 201, 204, 404, 409].includes(status));
  if (isAnswered && isSerial(fixtures.start, results, end)) return;
  const report = [fixtures.start, ...results.map(({ description }) => description), end];
  throw new Error(
    report.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );
}

/** Admission control that refuses nothing and, like the server, retries after a deadlock. */
export const patientAdmission = {
  context: () => undefined,
  maxRequests: 1000,
  maxQueued: 1000,
  maxWaitMs: 60_000,
  maxRetries: 2,
  slowMs: Number.POSITIVE_INFINITY,
  onSlow: () => {},
};
