import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "#test/config.ts";
import { type CheckedRequest, DETACHED_REQUESTS } from "#test/detached-requests.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, apiOn } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { openProcesses, type Processes } from "#test/processes.ts";
import { listOperations } from "../app/app.ts";
import { operatorSocketPath } from "../app/operator-socket.ts";
import { createTokens } from "./tokens.ts";

/** How many clients of each operation hang up, and after at most how long. */
const ROUNDS = 8;
const MAX_WAIT_MS = 8;

const dir = mkdtempSync(join(tmpdir(), "irontrack-hang-ups-"));
const unix = join(dir, "app.sock");
let database: OwnDatabase;
let processes: Processes;
let api: Api;
let superuser: { as: string };

beforeAll(async () => {
  database = await makeOwnDatabase();
  processes = await openProcesses(dir, database.url);
  await processes.start("app", { PASSWORD_MEMORY_KIB: "19456", PASSWORD_PASSES: "2" });
  api = await apiOn(database.pool, {
    deps: { tokens: createTokens(testConfig(), processes.keys) },
  });
  superuser = await makeSignedIn(api, { roleSlug: "superuser" });
});
afterAll(async () => {
  processes.stop();
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

test.each(Object.entries(DETACHED_REQUESTS))(
  "%s runs to completion no matter when its client hangs up",
  async (_operation, prepare) => {
    const requests: CheckedRequest[] = [];
    for (let round = 0; round < ROUNDS; round++)
      requests.push(await prepare({ api, as: superuser.as }));
    const before = await countAnswers();
    for (const [round, request] of requests.entries())
      await sendAndHangUp(request, (MAX_WAIT_MS * round) / ROUNDS);
    // The process answers every request that reached it, although no client reads the answer.
    const statuses = [...(await countAnswers(before, ROUNDS)).keys()];
    expect(statuses.filter((status) => status === "499" || status === "500")).toEqual([]);
    const outcomes = await Promise.all(requests.map(({ isDone }) => isDone()));
    expect(outcomes).toEqual(requests.map(() => true));
  },
);

test("every detached operation is tested, and docs/security.md lists them all", async () => {
  const detached = listOperations(api.deps).filter(({ spec }) => spec.isDetached);
  const ids = detached.map(({ spec }) => spec.id).sort();
  const tested = Object.keys(DETACHED_REQUESTS).filter((id) => id !== "AccountLogin");
  expect(tested.sort()).toEqual(ids);
  const docs = await Bun.file(join(import.meta.dir, "../../docs/security.md")).text();
  const [, section = ""] = docs.split("## Detached operations");
  expect(ids.filter((id) => !section.includes(`\`${id}\``))).toEqual([]);
});

/** Sends a complete request on a new connection, and closes the connection after `waitMs`. */
async function sendAndHangUp({ method, path, as, body }: CheckedRequest, waitMs: number) {
  const text = body === undefined ? "" : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost", `Cookie: ${as}`];
  if (text)
    lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(text)}`);
  const socket = connect(unix);
  socket.on("error", () => {});
  await new Promise<void>((resolve) =>
    socket.write(`${lines.join("\r\n")}\r\n\r\n${text}`, () => resolve()),
  );
  await Bun.sleep(waitMs);
  socket.destroy();
}

/** Counts the process's answers by status since `before`, once there are at least `minimum`. */
async function countAnswers(before = new Map<string, number>(), minimum = 0) {
  for (;;) {
    const metrics = await fetch("http://localhost/metrics", { unix: operatorSocketPath(unix) });
    const counts = new Map<string, number>();
    for (const [, status = "", count] of (await metrics.text()).matchAll(
      /^irontrack_requests_total\{.*status="(\d+)"\} (\d+)$/gm,
    )) {
      counts.set(status, (counts.get(status) ?? 0) + Number(count));
    }
    const since = [...counts].map(([status, count]): [string, number] => [
      status,
      count - (before.get(status) ?? 0),
    ]);
    const total = since.reduce((sum, [, count]) => sum + count, 0);
    if (total >= minimum) return new Map(since.filter(([, count]) => count > 0));
    await Bun.sleep(10);
  }
}
