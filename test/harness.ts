import { expect } from "bun:test";
import { type Db, openPool } from "#db/client.ts";
import { parseKeys } from "#src/access/keys.ts";
import { createTokens } from "#src/access/tokens.ts";
import { type AppDeps, createApp, listOperations } from "#src/app/app.ts";
import { assemble } from "#src/app/services.ts";
import { createCatalogCache } from "#src/cache/catalog-cache.ts";
import { localInvalidations, openInvalidations } from "#src/cache/invalidations.ts";
import { createLoginCache } from "#src/cache/login-cache.ts";
import { openLog } from "#src/log/log.ts";
import { TEMPLATE_DATABASE } from "./cluster.ts";
import { TEST_SETTINGS, testConfig, testKeyJson, testKeys } from "./config.ts";
import { expectContract } from "./contract.ts";
import { type ExecutableServer, startExecutable } from "./executable-server.ts";
import { makeDatabase, urlOf } from "./own-database.ts";
import { callingTest, executable, isSourcesOnly, recordProgram, sourcesOnly } from "./program.ts";
import { rolledBack, setIsOtherProcess } from "./transaction.ts";

/** The address that requests come from. */
const ADDRESS = "192.0.2.1";

export type Answer = {
  status: number;
  headers: Headers;
  bytes: Uint8Array<ArrayBuffer>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  json: any;
};

/** `as` is a cookie header, as returned by `signedIn`. */
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
  /** Receives the log lines. */
  logTo?: { write(line: string): void };
  deps?: Partial<AppDeps>;
};

type Work = (api: Api, db: Db) => Promise<void>;

/**
 * A test that runs `work` against the real application in a transaction that is rolled back. A run
 * against the executable uses a copy of the database instead, and drops it.
 */
export function withApi(work: Work, options: ApiOptions = {}): () => Promise<void> {
  const onSources = () => rolledBack(async (db) => work(await inThisProcess(db, options), db));
  if (!executable()) return onSources;
  const where = callingTest();
  return async () => {
    const reason = needsSources(options) ?? (await onExecutable(work, options));
    recordProgram(where, reason ?? "executable");
    if (reason !== undefined) await onSources();
  };
}

/**
 * The real application on `db`; in a run against the executable, that executable if `db` is a pool.
 * Checks that every response conforms to the contract of its operation.
 */
export async function apiOn(db: Db, options: ApiOptions = {}): Promise<Api> {
  if (!executable()) return inThisProcess(db, options);
  const reason = "close" in db ? needsSources(options) : "is in a transaction";
  recordProgram(callingTest(), reason ?? "executable");
  if (reason !== undefined) return inThisProcess(db, options);
  return inThisProcess(db, options, await startFor(urlOf(db.sql.options.database), options));
}

/** The application with these keys. The first one signs. */
export async function apiWithKeys(db: Db, ...keys: object[]): Promise<Api> {
  const tokens = createTokens(testConfig(), await parseKeys(JSON.stringify(keys), "test"));
  return apiOn(db, { deps: { tokens } });
}

/** Why a test needs the application in its own process; undefined if it does not. */
function needsSources({ nowMs, logTo, deps = {} }: ApiOptions): string | undefined {
  if (nowMs) return "sets the clock";
  if (logTo) return "reads the log";
  return Object.keys(deps).every((name) => name === "addressOf")
    ? undefined
    : "replaces parts of the application";
}

/** Runs `work` against the executable. Returns a reason if the test turns out to need the sources. */
async function onExecutable(work: Work, options: ApiOptions): Promise<string | undefined> {
  const database = await makeDatabase(TEMPLATE_DATABASE);
  const pool = openPool(database.url, { size: 4, prepare: true });
  const server = await startFor(database.url, options);
  setIsOtherProcess(true);
  try {
    await work(await inThisProcess(pool, options, server), pool);
    return undefined;
  } catch (error) {
    if (isSourcesOnly(error)) return error.message;
    throw error;
  } finally {
    setIsOtherProcess(false);
    await server.stop();
    await pool.close();
    await database.drop();
  }
}

async function startFor(
  databaseUrl: string,
  { settings, deps }: ApiOptions,
): Promise<ExecutableServer> {
  return await startExecutable({
    databaseUrl,
    settings: { ...TEST_SETTINGS, ...settings, JWT_PRIVATE_KEYS: await testKeyJson() },
    address: deps?.addressOf ? undefined : ADDRESS,
  });
}

/** The application on `db`. If given, `server` answers the requests instead of this process. */
async function inThisProcess(db: Db, options: ApiOptions, server?: ExecutableServer): Promise<Api> {
  const logged: string[] = [];
  const assembled = await assembleDeps(db, options, server !== undefined, logged);
  const deps = server ? readOnly(assembled) : assembled;
  const app = server ?? createApp(deps);
  const operations = listOperations(deps);
  const ask = async (method: string, path: string, { as, body, headers }: RequestOptions = {}) => {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(as ? { cookie: as } : {}),
        ...(body !== undefined ? { "content-type": "application/json" } : {}),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: isRaw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    const response = await app.fetch(request);
    // Only the log has the error.
    if (response.status === 500) console.error(logged.splice(0).join(""));
    const answer = await readAnswer(response);
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

/** The parts of the application. Errors are appended to `logged` unless `logTo` is given. */
async function assembleDeps(
  db: Db,
  { settings, nowMs, logTo, deps }: ApiOptions,
  hasServer: boolean,
  logged: string[],
): Promise<AppDeps> {
  const config = testConfig({ ...settings, LOG_LEVEL: logTo ? "trace" : "error" });
  const loginCache = createLoginCache(() => true, nowMs);
  const catalogCache = createCatalogCache(() => true, 2 ** 24);
  const invalidate = (invalidation: Parameters<typeof catalogCache.invalidate>[0]) => {
    loginCache.invalidate(invalidation);
    catalogCache.invalidate(invalidation);
  };
  const parts = {
    config,
    keys: await testKeys(),
    db,
    loginCache,
    catalogCache,
    invalidations: hasServer
      ? await openInvalidations(db, invalidate)
      : localInvalidations(invalidate),
    health: {
      isDatabaseOnline: () => true,
      isCacheOnline: () => true,
      isSchemaCurrent: () => true,
      stop: () => {},
    },
    addressOf: () => ADDRESS,
    isDraining: () => false,
    ...openLog(config, logTo ?? { write: (line) => void logged.push(line) }),
  };
  return { ...assemble(parts, nowMs), ...deps };
}

async function readAnswer(response: Response): Promise<Answer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

/** Throws when a test changes a part of the application that another process does not share. */
function readOnly(deps: AppDeps): AppDeps {
  const set = () => {
    throw sourcesOnly("changes a part of the application");
  };
  const parts = {
    passwords: new Proxy(deps.passwords, { set }),
    health: new Proxy(deps.health, { set }),
  };
  return new Proxy({ ...deps, ...parts }, { set });
}

/** Fails unless the status is the expected one, and shows the body. */
export function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status)
    throw new Error(`Expected ${status}, got ${answer.status}: ${answer.text.slice(0, 2000)}`);
}

/** Fails unless the answer is a problem with that status, code and detail. */
export function expectProblem(answer: Answer, status: number, code: string, detail?: string): void {
  expectStatus(answer, status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.json.code).toBe(code);
  if (detail !== undefined) expect(answer.json.detail).toBe(detail);
}
