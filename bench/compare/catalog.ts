import { rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { estimateText, ratioOfPairs, shuffled } from "../figures/statistics.ts";
import { signUpAndIn } from "../testbed/accounts.ts";
import {
  fetchAnswer,
  type RequestHandling,
  startApplication,
  startBare,
} from "../testbed/applications.ts";
import { databaseUrl } from "../testbed/embedded-postgres.ts";
import { type ServerProcess, startServer } from "../testbed/server-process.ts";
import { measurePgbench } from "./pgbench-page.ts";
import { measureRequestCost, type RequestCost, type RequestOptions } from "./request-cost.ts";

const PAGE = "/api/v1/exercises?pageSize=20";
/** More spellings than the catalog cache holds, so that none is answered from it. */
const MISSPELT = [
  "bulgrian split sqat",
  "romainan deadlfit",
  "dumbell bnech pres",
  "latteral rasie",
].flatMap((search) =>
  Array.from({ length: 64 }, (_, index) => {
    const spelling = [...search]
      .map((letter, position) => ((index >> (position % 6)) & 1 ? letter.toUpperCase() : letter))
      .join("");
    return `/api/v1/exercises?searchString=${encodeURIComponent(spelling)}`;
  }),
);
/** More users than connections, because concurrent requests for the same answer share one query. */
const USERS = 32;
/** The request id that the proxy adds. */
const REQUEST_ID = { "x-request-id": "0123456789abcdef0123456789abcdef" };
/** Like pgbench, a connection sends its next request after the last answer. */
const CONNECTIONS = 8;

/** The cost of a request falls over the first ten thousand requests. */
const WARM_UP_MS = 3000;

type Options = { pairs: number; seconds: number; json?: boolean };

/**
 * Compares the page of 20 exercises with its alternatives on the same machine at the same time, and
 * prints the ratios.
 */
export async function benchCatalog(options: Options): Promise<void> {
  const dir = temporaryDirectory("bench");
  const rounds: Record<string, RequestCost>[] = [];
  try {
    for (let round = 0; round < options.pairs; round++) {
      process.stderr.write(`round ${round + 1} of ${options.pairs}\n`);
      rounds.push(await measureRound(dir, options.seconds * 1000));
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  const ratio = (metric: keyof RequestCost, a: string, b: string) => {
    const pairs = rounds.flatMap((round) =>
      round[a] && round[b] ? [{ a: round[a][metric], b: round[b][metric] }] : [],
    );
    if (pairs.length === 0) return "not measured: pgbench is not on the PATH";
    return estimateText(ratioOfPairs(pairs));
  };
  const cpu = (a: string, b: string) => ratio("cpuUs", a, b);
  const rate = (a: string, b: string) => ratio("perSecond", a, b);
  const findings = {
    "page, CPU of server and PostgreSQL / five flat statements": cpu("page", "flat"),
    "page, requests per second / pgbench on its statement": rate("page", "pgbench"),
    "page requested concurrently, CPU / five flat statements": cpu("samePage", "flat"),
    "page requested concurrently, requests per second / pgbench": rate("samePage", "pgbench"),
    "cached page, requests per second / bare ping": rate("cached", "ping"),
    "cached page with gzip, requests per second / bare ping": rate("zipped", "ping"),
    "cached 304, requests per second / bare ping": rate("notModified", "ping"),
    "cached page, requests per second / bare server of the same bytes": rate("cached", "sameBytes"),
    "cached 304, requests per second / bare server of the same bytes": rate(
      "notModified",
      "same304",
    ),
    "cached 304, requests per second / bare server that checks requests": rate(
      "notModified",
      "least304",
    ),
    "bare server that checks requests, requests per second / bare ping": rate("least304", "ping"),
    "misspelt search, CPU of server and PostgreSQL / page": cpu("misspelt", "page"),
  };
  if (options.json) console.log(JSON.stringify({ rounds, findings }, null, 2));
  else
    for (const [what, figure] of Object.entries(findings))
      console.log(`${what.padEnd(72)} ${figure}`);
}

/** One run of each variant in random order, each on a new server process. */
async function measureRound(dir: string, durationMs: number): Promise<Record<string, RequestCost>> {
  const measured: Record<string, RequestCost> = {};
  const variants: [string, () => Promise<RequestCost | undefined>][] = [
    ["page", () => onApplication(dir, "0", durationMs, () => [[PAGE], {}], USERS)],
    ["samePage", () => onApplication(dir, "0", durationMs, () => [[PAGE], {}])],
    ["misspelt", () => onApplication(dir, "4", durationMs, () => [MISSPELT, {}])],
    ["cached", () => onApplication(dir, "64", durationMs, () => [[PAGE], {}])],
    [
      "zipped",
      () => onApplication(dir, "64", durationMs, () => [[PAGE], { "accept-encoding": "gzip" }]),
    ],
    [
      "notModified",
      () => onApplication(dir, "64", durationMs, (etag) => [[PAGE], { "if-none-match": etag }]),
    ],
    ["flat", () => onFlat(dir, durationMs)],
    ["ping", () => onBare(dir, durationMs)],
    ["sameBytes", () => onSameBytes(dir, durationMs, false)],
    ["same304", () => onSameBytes(dir, durationMs, true)],
    ["least304", () => onSameBytes(dir, durationMs, true, "reading")],
    ["pgbench", () => onPgbench(dir, durationMs)],
  ];
  for (const [name, run] of shuffled(variants)) {
    const cost = await run();
    if (cost) measured[name] = cost;
  }
  return measured;
}

type Requests = [paths: string[], headers: Record<string, string>];

/** The application with a catalog cache of `memoryMib`. */
async function onApplication(
  dir: string,
  memoryMib: string,
  durationMs: number,
  requests: (etag: string) => Requests,
  users = 1,
) {
  const application = await startApplication(dir, { CATALOG_MEMORY_MIB: memoryMib });
  try {
    const { socketPath } = application;
    const emails = Array.from({ length: users }, (_, index) => `bench-${index}@example.com`);
    const cookies = await Promise.all(emails.map((email) => signUpAndIn(socketPath, email)));
    const page = await fetchAnswer(socketPath, PAGE, cookies[0] as string);
    const [paths, headers] = requests(page.headers.etag ?? "");
    return await measureCost(
      dir,
      application,
      { paths, cookies, headers: { ...REQUEST_ID, ...headers } },
      durationMs,
    );
  } finally {
    await application.stop();
  }
}

async function onFlat(dir: string, durationMs: number) {
  const application = await startApplication(dir);
  const socketPath = join(dir, "run/flat.sock");
  rmSync(socketPath, { force: true });
  const flat = await startServer(
    ["bench/servers/flat-server.ts", socketPath, databaseUrl(dir)],
    socketPath,
    {},
  );
  try {
    return await measureCost(dir, flat, { paths: ["/"], headers: {} }, durationMs);
  } finally {
    await flat.stop();
    await application.stop();
  }
}

async function onBare(dir: string, durationMs: number) {
  const bare = await startBare(dir, { status: 200, headers: {}, body: "" });
  try {
    return await measureCost(dir, bare, { paths: ["/ping"], headers: {} }, durationMs);
  } finally {
    await bare.stop();
  }
}

/** A bare server that answers the same requests with the application's answer. */
async function onSameBytes(
  dir: string,
  durationMs: number,
  isConditional: boolean,
  handling?: RequestHandling,
): Promise<RequestCost> {
  const application = await startApplication(dir);
  const cookie = await signUpAndIn(application.socketPath);
  const page = await fetchAnswer(application.socketPath, PAGE, cookie);
  await application.stop();
  const { "content-type": _type, ...headers } = page.headers;
  const bare = await startBare(
    dir,
    isConditional ? { status: 304, headers, body: "" } : page,
    handling,
  );
  try {
    const conditional = isConditional ? { "if-none-match": page.headers.etag ?? "" } : {};
    const headers = { ...REQUEST_ID, ...conditional };
    return await measureCost(dir, bare, { paths: [PAGE], cookies: [cookie], headers }, durationMs);
  } finally {
    await bare.stop();
  }
}

/** pgbench on the application's database. */
async function onPgbench(dir: string, durationMs: number): Promise<RequestCost | undefined> {
  if (!Bun.which("pgbench")) return undefined;
  const application = await startApplication(dir);
  try {
    return await measurePgbench(dir, CONNECTIONS, durationMs);
  } finally {
    await application.stop();
  }
}

const measureCost = (
  dir: string,
  server: ServerProcess,
  requestOptions: Pick<RequestOptions, "paths" | "cookies" | "headers">,
  durationMs: number,
) =>
  measureRequestCost(dir, server, {
    ...requestOptions,
    connections: CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    durationMs,
  });
