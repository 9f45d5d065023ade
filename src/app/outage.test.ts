import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "#test/config.ts";
import { type DatabaseProxy, startDatabaseProxy } from "#test/database-proxy.ts";
import { makeUser, signedIn } from "#test/fixtures.ts";
import { apiOn } from "#test/harness.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { API } from "#test/paths.ts";
import { openProcesses, type Processes, type ServingProcess } from "#test/processes.ts";
import { directTestUrl } from "#test/transaction.ts";
import { createTokens } from "../access/tokens.ts";

/** Far longer than any wait of the application; a request that takes longer counts as hanging. */
const PATIENCE_MS = 12_000;
const dir = mkdtempSync(join(tmpdir(), "irontrack-outage-"));
let database: OwnDatabase;
let between: DatabaseProxy;
let processes: Processes;
let server: ServingProcess;
let as: string;

beforeAll(async () => {
  database = await makeOwnDatabase();
  between = await startDatabaseProxy(directTestUrl(database.url));
  processes = await openProcesses(dir, database.url);
  server = await processes.start("one", {
    DATABASE_URL: between.url,
    DATABASE_DIRECT_URL: between.url,
  });
  const api = await apiOn(database.pool, {
    deps: { tokens: createTokens(testConfig(), processes.keys) },
  });
  as = await signedIn(api, await makeUser(api));
});
afterAll(async () => {
  processes.stop();
  await between.stop();
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

/** Sends an error as PostgreSQL does when it refuses a connection. */
const fatal = (code: string) => (socket: Socket) => {
  socket.once("data", () => {
    const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mno\0\0`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(fields.length + 4);
    socket.end(Buffer.concat([Buffer.from("E"), length, fields]));
  });
};

const outages: { what: string; begin: () => unknown }[] = [
  // First, while all connections of the pool are open.
  { what: "is on a machine that is lost, and answers on another", begin: () => between.strand() },
  { what: "listens no more", begin: () => between.refuse() },
  {
    what: "closes each connection without a word",
    begin: () => between.refuse((socket) => socket.once("data", () => socket.end())),
  },
  { what: "takes connections and says nothing", begin: () => between.refuse(() => {}) },
  { what: "stands still, and keeps its connections", begin: () => between.freeze() },
  { what: "is starting up", begin: () => between.refuse(fatal("57P03")) },
  { what: "has no connection left", begin: () => between.refuse(fatal("53300")) },
  { what: "lets us not in", begin: () => between.refuse(fatal("28P01")) },
];

const ask = (method: string, path: string, body?: unknown) =>
  Promise.race([
    server.ask(method, `${API}${path}`, { as, body }).then(async (answer) => {
      await answer.text();
      return `${answer.status} ${answer.headers.get("retry-after")}`;
    }),
    Bun.sleep(PATIENCE_MS).then(() => "no answer"),
  ]);

test.each(outages)(
  "while PostgreSQL $what each request is answered 503 with Retry-After, and normally afterwards",
  async ({ begin }) => {
    await begin();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 2 === 0 ? ask("GET", "/workouts") : ask("POST", "/workouts", { name: "Leg day" }),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(["503 1"]));
    between.connect();
    while ((await ask("GET", "/workouts")) !== "200 null") await Bun.sleep(50);
  },
  30_000,
);
