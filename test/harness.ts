import { expect } from "bun:test";
import type { Db } from "#db/client.ts";
import { generateKey, type Keys, parseKeys } from "#src/access/keys.ts";
import { createTokens } from "#src/access/tokens.ts";
import { type AppDeps, createApp, listOperations } from "#src/app/app.ts";
import { assemble } from "#src/app/services.ts";
import { createCatalogCache } from "#src/cache/catalog-cache.ts";
import { localInvalidations, openInvalidations } from "#src/cache/invalidations.ts";
import { createLoginCache } from "#src/cache/login-cache.ts";
import { type Config, readConfig } from "#src/config/config.ts";
import { openLog } from "#src/log/log.ts";
import { type Built, copyDatabase, startBuilt, urlOf } from "./built.ts";
import { expectContract } from "./contract.ts";
import { calledFrom, executable, isSourcesOnly, note, sourcesOnly } from "./program.ts";
import { answersElsewhere, rolledBack } from "./transaction.ts";

const TEST_SETTINGS = {
  NODE_ENV: "test",
  LOG_LEVEL: "silent",
  PASSWORD_MEMORY_KIB: "19456",
  PASSWORD_PASSES: "2",
};
/** Where requests come from. */
const ADDRESS = "192.0.2.1";

export const testConfig = (settings: Record<string, string> = {}): Config =>
  readConfig({ ...TEST_SETTINGS, ...settings });

let keyJson: Promise<string> | undefined;
/** One pair of keys for all tests of a process. */
export const testKeys = async (): Promise<Keys> => parseKeys(await testKeyJson(), "test");
const testKeyJson = () => {
  keyJson ??= generateKey().then((key) => JSON.stringify([key]));
  return keyJson;
};

export type Answer = {
  status: number;
  headers: Headers;
  bytes: Uint8Array<ArrayBuffer>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  json: any;
};

/** What a test may say of a request; `as` is a cookie header, as `signedIn` makes it. */
export type RequestOptions = { as?: string; body?: unknown; headers?: Record<string, string> };

export type Api = {
  deps: AppDeps;
  /** The application, or a process that runs it. */
  app: { fetch(request: Request): Response | Promise<Response> };
  ask(method: string, path: string, requestOptions?: RequestOptions): Promise<Answer>;
  get(path: string, requestOptions?: RequestOptions): Promise<Answer>;
  post(path: string, requestOptions?: RequestOptions): Promise<Answer>;
  patch(path: string, requestOptions?: RequestOptions): Promise<Answer>;
  delete(path: string, requestOptions?: RequestOptions): Promise<Answer>;
};

type ApiOptions = {
  settings?: Record<string, string>;
  nowMs?: () => number;
  /** Where log lines go. */
  logTo?: { write(line: string): void };
  deps?: Partial<AppDeps>;
};

type Work = (api: Api, db: Db) => Promise<void>;

/**
 * Runs `work` against the real application on a transaction that is rolled back; in a run against
 * the executable, on a copy of the database that is dropped.
 */
export function withApi(work: Work, options: ApiOptions = {}): () => Promise<void> {
  const onSources = () => rolledBack(async (db) => work(await inThisProcess(db, options), db));
  if (!executable()) return onSources;
  const where = calledFrom();
  return async () => {
    const why = needsSources(options) ?? (await onExecutable(work, options));
    note(where, why ?? "executable");
    if (why !== undefined) await onSources();
  };
}

/**
 * The real application on `db`; in a run against the executable, the executable when `db` is a
 * pool. Every answer is checked against what its operation promises.
 */
export async function apiOn(db: Db, options: ApiOptions = {}): Promise<Api> {
  if (!executable()) return inThisProcess(db, options);
  const why = "close" in db ? needsSources(options) : "is in a transaction";
  note(calledFrom(), why ?? "executable");
  if (why !== undefined) return inThisProcess(db, options);
  return inThisProcess(db, options, await startFor(urlOf(db.sql.options.database), options));
}

/** The application of a process that has these keys: the first signs. */
export async function apiWithKeys(db: Db, ...keys: object[]): Promise<Api> {
  const tokens = createTokens(testConfig(), await parseKeys(JSON.stringify(keys), "test"));
  return apiOn(db, { deps: { tokens } });
}

/** What of this process a test wants to reach into, when it does. */
function needsSources({ nowMs, logTo, deps = {} }: ApiOptions): string | undefined {
  if (nowMs) return "has a clock of its own";
  if (logTo) return "reads the log";
  return Object.keys(deps).every((name) => name === "addressOf")
    ? undefined
    : "has parts of its own";
}

/**
 * Runs `work` against the executable; gives why it cannot be, when it finds that it must look into
 * the process.
 */
async function onExecutable(work: Work, options: ApiOptions): Promise<string | undefined> {
  const database = await copyDatabase();
  const built = await startFor(database.url, options);
  answersElsewhere(true);
  try {
    await work(await inThisProcess(database.pool, options, built), database.pool);
    return undefined;
  } catch (error) {
    if (isSourcesOnly(error)) return error.message;
    throw error;
  } finally {
    answersElsewhere(false);
    await built.stop();
    await database.drop();
  }
}

async function startFor(databaseUrl: string, { settings, deps }: ApiOptions): Promise<Built> {
  return await startBuilt({
    databaseUrl,
    settings: { ...TEST_SETTINGS, ...settings, JWT_PRIVATE_KEYS: await testKeyJson() },
    address: deps?.addressOf ? undefined : ADDRESS,
  });
}

/**
 * The application's parts on `db` and its API; `elsewhere` answers instead of this process, when
 * given.
 */
async function inThisProcess(
  db: Db,
  { settings, nowMs, logTo, deps: given }: ApiOptions,
  elsewhere?: Built,
): Promise<Api> {
  const config = testConfig({ ...settings, LOG_LEVEL: logTo ? "trace" : "error" });
  const bugs: string[] = [];
  const loginCache = createLoginCache(() => true, nowMs);
  const catalogCache = createCatalogCache(() => true, 2 ** 24);
  const invalidate = (invalidation: Parameters<typeof catalogCache.invalidate>[0]) => {
    loginCache.invalidate(invalidation);
    catalogCache.invalidate(invalidation);
  };
  const invalidations = elsewhere
    ? await openInvalidations(db, invalidate)
    : localInvalidations(invalidate);
  const health = {
    isDatabaseOnline: () => true,
    isCacheOnline: () => true,
    isSchemaCurrent: () => true,
    stop: () => {},
  };
  const parts = {
    config,
    keys: await testKeys(),
    db,
    loginCache,
    catalogCache,
    invalidations,
    health,
    addressOf: () => ADDRESS,
    isDraining: () => false,
  };
  const assembled = {
    ...assemble(
      { ...parts, ...openLog(config, logTo ?? { write: (line) => void bugs.push(line) }) },
      nowMs,
    ),
    ...given,
  };
  const deps = elsewhere ? unchangeable(assembled) : assembled;
  const app = elsewhere ?? createApp(deps);
  const operations = listOperations(deps);
  const ask = async (method: string, path: string, { as, body, headers }: RequestOptions = {}) => {
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(as ? { cookie: as } : {}),
        ...(body !== undefined ? { "content-type": "application/json" } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText(body) ? body : JSON.stringify(body) }),
    });
    const response = await app.fetch(request);
    // What it was is in the log alone.
    if (response.status === 500) console.error(bugs.splice(0).join(""));
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
    const answer = {
      status: response.status,
      headers: response.headers,
      bytes,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
    expectContract(operations, method, path, answer);
    return answer;
  };
  return {
    deps,
    app,
    ask,
    get: (path, requestOptions) => ask("GET", path, requestOptions),
    post: (path, requestOptions) => ask("POST", path, requestOptions),
    patch: (path, requestOptions) => ask("PATCH", path, requestOptions),
    delete: (path, requestOptions) => ask("DELETE", path, requestOptions),
  };
}

/**
 * Parts that are in another process than the one that answers: a change of them here would change
 * nothing there.
 */
function unchangeable(deps: AppDeps): AppDeps {
  const set = () => {
    throw sourcesOnly("changes a part of the application");
  };
  const parts = {
    passwords: new Proxy(deps.passwords, { set }),
    health: new Proxy(deps.health, { set }),
  };
  return new Proxy({ ...deps, ...parts }, { set });
}

const isText = (body: unknown): body is string | Uint8Array<ArrayBuffer> =>
  typeof body === "string" || body instanceof Uint8Array;

/** Fails unless the status is the expected one; the failure shows the body. */
export function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status)
    throw new Error(`Expected ${status}, got ${answer.status}: ${answer.text.slice(0, 2000)}`);
}

/** Fails unless the answer is that problem. */
export function expectProblem(answer: Answer, status: number, code: string, detail?: string): void {
  expectStatus(answer, status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.json.code).toBe(code);
  if (detail !== undefined) expect(answer.json.detail).toBe(detail);
}
