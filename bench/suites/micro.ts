import { measure } from "mitata";
import type { Db } from "#db/client.ts";
import { generateKey, parseKeys } from "#src/access/keys.ts";
import { createPasswords } from "#src/access/passwords.ts";
import { createTokens } from "#src/access/tokens.ts";
import { createCatalogCache } from "#src/cache/catalog-cache.ts";
import { createRepeatRequests } from "#src/cache/repeat-requests.ts";
import { readConfig } from "#src/config/config.ts";
import { createCrossSite } from "#src/http/cross-site.ts";
import { checkInputs } from "#src/http/input.ts";
import { ok, okJson, plain, toResponse } from "#src/http/reply.ts";
import { createRequestMetrics } from "#src/metrics/request-metrics.ts";
import { createBaseApp } from "#src/operations/base-app.ts";
import type { OperationsDeps } from "#src/operations/handler.ts";
import { operation } from "#src/operations/operation.ts";
import { operations } from "#src/operations/operations.ts";
import { NewSet } from "#src/workouts/workouts.schemas.ts";
import { intervalOf } from "../figures/interval.ts";
import type { Measured, TableRow } from "../figures/table.ts";
import type { SuiteScenario } from "./scenario.ts";

/** Parts of a request, each alone in this process: no socket, no database. */
export const MICRO_SCENARIOS: SuiteScenario[] = [
  { name: "hash", about: "Argon2id with the settings of this host" },
  { name: "sign", about: "an access token, Ed25519" },
  { name: "verify", about: "a token's signature and claims" },
  { name: "verify-known", about: "an access token that was verified before" },
  { name: "serialise", about: "a workout of thirty sets to JSON" },
  { name: "respond", about: "a Response with every header, of JSON that is ready" },
  { name: "validate", about: "the body of a logged set" },
  { name: "route", about: "a request through the router to a constant answer" },
];

/** Measures each part `runs` times. */
export async function runMicro(
  names: string[],
  { runs, onStep }: { runs: number; onStep(step: string): void },
): Promise<Measured> {
  const parts = await prepareParts();
  const rows: TableRow[] = [];
  for (const name of names) {
    onStep(name);
    const measured: { avg: number; p50: number; p99: number }[] = [];
    for (let run = 0; run < runs; run++)
      measured.push(await measure(parts[name] as () => unknown, options(name)));
    rows.push({
      scenario: name,
      figures: {
        meanUs: intervalOf(measured.map(({ avg }) => avg / 1000)),
        p50Us: intervalOf(measured.map(({ p50 }) => p50 / 1000)),
        p99Us: intervalOf(measured.map(({ p99 }) => p99 / 1000)),
      },
    });
  }
  const about = `Each part alone, ${runs} runs of mitata, with 95 % of the mean of runs.`;
  return { about, rows, postgres: "not in the path" };
}

/** A hash takes as long as a thousand of the other parts, so it runs only ten times. */
const options = (name: string) =>
  name === "hash"
    ? { min_samples: 10, min_cpu_time: 1, warmup_samples: 1 }
    : { min_cpu_time: 200e6 };

async function prepareParts(): Promise<Record<string, () => unknown>> {
  const config = readConfig(process.env);
  const tokens = createTokens(
    config,
    await parseKeys(JSON.stringify([await generateKey()]), "bench"),
  );
  const passwords = createPasswords(config);
  const claims = {
    userId: crypto.randomUUID(),
    loginId: crypto.randomUUID(),
    tokenId: crypto.randomUUID(),
    issuedAtS: Math.floor(Date.now() / 1000),
  };
  const [access, refresh] = [
    await tokens.sign("access", claims),
    await tokens.sign("refresh", claims),
  ];
  await tokens.verify("access", access);
  const set = { reps: 5, weight: 82.5, weightUnit: "kg", rpe: 8 };
  const sets = Array.from({ length: 10 }, () => ({
    id: crypto.randomUUID(),
    type: "normal",
    ...set,
    note: null,
  }));
  const workout = {
    id: crypto.randomUUID(),
    exercises: [1, 2, 3].map((position) => ({ position, sets })),
  };
  const json = JSON.stringify(workout);
  const postRequest = new Request("http://localhost/api/v1/workouts", { method: "POST" });
  const pingRequest = new Request("http://localhost/ping");
  const deps: OperationsDeps = {
    db: undefined as unknown as Db,
    authenticate: () => {
      throw new Error("This operation needs no login");
    },
    crossSite: createCrossSite(config),
    idempotently: async (_request, run) => run(),
    requestLog: () => {},
    requests: createRequestMetrics(),
    recognise: () => undefined,
    repeatRequests: createRepeatRequests(createCatalogCache(() => true, 0)),
    onBug: () => {},
    isProxied: false,
    isDraining: () => false,
  };
  const app = createBaseApp([pingOperation], deps).use(operations("health", [pingOperation], deps));
  return {
    hash: () => passwords.hash("a bench needs a password"),
    sign: () => tokens.sign("access", claims),
    // Refresh tokens are not cached.
    verify: () => tokens.verify("refresh", refresh),
    "verify-known": () => tokens.verify("access", access),
    serialise: () => ok(workout),
    respond: () => toResponse(okJson(json), "request.1"),
    validate: () => checkInputs({ body: NewSet }, postRequest, {}, set),
    route: () => app.fetch(pingRequest),
  };
}

const pingOperation = operation(
  "GET",
  "/ping",
  {
    id: "Ping",
    tag: "System",
    access: "anyone",
    summary: "Answer",
    answers: { 200: null },
    answerMedia: "text/plain",
  },
  () => plain("pong"),
);
