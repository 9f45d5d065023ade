import { rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { ratioOfPairs } from "../figures/statistics.ts";
import {
  fetchAnswer,
  type RequestHandling,
  signIn,
  startApplication,
  startBare,
} from "../testbed/applications.ts";
import { databaseUrl } from "../testbed/embedded-postgres.ts";
import { type ServerProcess, startServer } from "../testbed/server-process.ts";
import { type Measured, measure as measureAsking, type RequestOptions } from "./measured.ts";
import { measurePgbench } from "./pgbench-page.ts";

const PAGE = "/api/v1/exercises?pageSize=20";
/**
 * More spellings of the same questions than fit into the memory beside the words of the catalog:
 * none is answered from it.
 */
const MISSPELT = [
  "bulgrian split sqat",
  "romainan deadlfit",
  "dumbell bnech pres",
  "latteral rasie",
].flatMap((search) =>
  Array.from({ length: 64 }, (_, at) => {
    const spelt = [...search]
      .map((letter, place) => ((at >> (place % 6)) & 1 ? letter.toUpperCase() : letter))
      .join("");
    return `/api/v1/exercises?searchString=${encodeURIComponent(spelt)}`;
  }),
);
/**
 * More than there are connections: what two ask at once is asked of the database once if it is the
 * same question.
 */
const PEOPLE = 32;
/** As the proxy names each request. */
const NAMED = { "x-request-id": "0123456789abcdef0123456789abcdef" };
/** Connections: pgbench does not send a statement before it has the last one's answer. */
const CONNECTIONS = 8;

/** What a request costs a server falls for its first ten thousands. */
const WARM_UP_MS = 3000;

type Options = { pairs: number; seconds: number; json?: boolean };

/**
 * What was promised of the page of 20 exercises, each figure beside its rival in the same minute on
 * the same machine.
 */
export async function benchCatalog(options: Options): Promise<void> {
  const dir = temporaryDirectory("bench");
  const rounds: Record<string, Measured>[] = [];
  try {
    for (let round = 0; round < options.pairs; round++) {
      process.stderr.write(`round ${round + 1} of ${options.pairs}\n`);
      rounds.push(await measureRound(dir, options.seconds * 1000));
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  const ratio = (of: keyof Measured, a: string, b: string) => {
    const pairs = rounds.flatMap((round) =>
      round[a] && round[b] ? [{ a: round[a][of], b: round[b][of] }] : [],
    );
    if (pairs.length === 0) return "not measured: pgbench is not on the PATH";
    const { median, low, high } = ratioOfPairs(pairs);
    return `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  };
  const findings = {
    "page, CPU of server and PostgreSQL / five flat statements": ratio("cpuUs", "page", "flat"),
    "page, requests per second / pgbench on its statement": ratio("perSecond", "page", "pgbench"),
    "page that several ask for at once, CPU / five flat statements": ratio(
      "cpuUs",
      "samePage",
      "flat",
    ),
    "page that several ask for at once, requests per second / pgbench": ratio(
      "perSecond",
      "samePage",
      "pgbench",
    ),
    "page from memory, requests per second / bare ping": ratio("perSecond", "remembered", "ping"),
    "page from memory to who takes gzip, requests per second / bare ping": ratio(
      "perSecond",
      "zipped",
      "ping",
    ),
    "304 from memory, requests per second / bare ping": ratio("perSecond", "notModified", "ping"),
    "page from memory, requests per second / bare server of the same bytes": ratio(
      "perSecond",
      "remembered",
      "sameBytes",
    ),
    "304 from memory, requests per second / bare server of the same bytes": ratio(
      "perSecond",
      "notModified",
      "same304",
    ),
    "304 from memory, requests per second / bare server that reads and sends what a 304 has to":
      ratio("perSecond", "notModified", "least304"),
    "bare server that reads and sends what a 304 has to, requests per second / bare ping": ratio(
      "perSecond",
      "least304",
      "ping",
    ),
    "misspelt search, CPU of server and PostgreSQL / page": ratio("cpuUs", "misspelt", "page"),
  };
  if (options.json) console.log(JSON.stringify({ rounds, findings }, null, 2));
  else
    for (const [what, figure] of Object.entries(findings))
      console.log(`${what.padEnd(72)} ${figure}`);
}

/** One run of each variant, in random order, every server freshly started. */
async function measureRound(dir: string, durationMs: number): Promise<Record<string, Measured>> {
  const measured: Record<string, Measured> = {};
  const variants: [string, () => Promise<Measured | undefined>][] = [
    ["page", () => onApplication(dir, "0", durationMs, () => [[PAGE], {}], PEOPLE)],
    ["samePage", () => onApplication(dir, "0", durationMs, () => [[PAGE], {}])],
    ["misspelt", () => onApplication(dir, "4", durationMs, () => [MISSPELT, {}])],
    ["remembered", () => onApplication(dir, "64", durationMs, () => [[PAGE], {}])],
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
  for (const [name, run] of variants.sort(() => Math.random() - 0.5)) {
    const found = await run();
    if (found) measured[name] = found;
  }
  return measured;
}

type Requests = [paths: string[], headers: Record<string, string>];

/** The application with that much memory for the catalog's answers. */
async function onApplication(
  dir: string,
  memoryMib: string,
  durationMs: number,
  requests: (etag: string) => Requests,
  people = 1,
) {
  const application = await startApplication(dir, { CATALOG_MEMORY_MIB: memoryMib });
  try {
    const { socketPath } = application;
    const emails = Array.from({ length: people }, (_, at) => `bench-${at}@example.com`);
    const cookies = await Promise.all(emails.map((email) => signIn(socketPath, email)));
    const page = await fetchAnswer(socketPath, PAGE, cookies[0] as string);
    const [paths, headers] = requests(page.headers.etag ?? "");
    return await measure(
      dir,
      application,
      { paths, cookies, headers: { ...NAMED, ...headers } },
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
    return await measure(dir, flat, { paths: ["/"], headers: {} }, durationMs);
  } finally {
    await flat.stop();
    await application.stop();
  }
}

async function onBare(dir: string, durationMs: number) {
  const bare = await startBare(dir, { status: 200, headers: {}, body: "" });
  try {
    return await measure(dir, bare, { paths: ["/ping"], headers: {} }, durationMs);
  } finally {
    await bare.stop();
  }
}

/** A bare server that repeats what the application answered, to the same requests. */
async function onSameBytes(
  dir: string,
  durationMs: number,
  isKnown: boolean,
  handling?: RequestHandling,
): Promise<Measured> {
  const application = await startApplication(dir);
  const cookie = await signIn(application.socketPath);
  const page = await fetchAnswer(application.socketPath, PAGE, cookie);
  await application.stop();
  const { "content-type": _type, ...headers } = page.headers;
  const bare = await startBare(dir, isKnown ? { status: 304, headers, body: "" } : page, handling);
  try {
    const known = isKnown ? { "if-none-match": page.headers.etag ?? "" } : {};
    const headers = { ...NAMED, ...known };
    return await measure(dir, bare, { paths: [PAGE], cookies: [cookie], headers }, durationMs);
  } finally {
    await bare.stop();
  }
}

/** On the database that the application has made. */
async function onPgbench(dir: string, durationMs: number): Promise<Measured | undefined> {
  if (!Bun.which("pgbench")) return undefined;
  const application = await startApplication(dir);
  try {
    return await measurePgbench(dir, CONNECTIONS, durationMs);
  } finally {
    await application.stop();
  }
}

const measure = (
  dir: string,
  server: ServerProcess,
  requestOptions: Pick<RequestOptions, "paths" | "cookies" | "headers">,
  durationMs: number,
) =>
  measureAsking(dir, server, {
    ...requestOptions,
    connections: CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    durationMs,
  });
