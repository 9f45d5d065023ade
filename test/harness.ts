import { expect } from "bun:test";
import type { Db } from "#db/client.ts";
import { generateKey, type Keys, readKeys } from "#src/access/keys.ts";
import { createLoginMemory } from "#src/access/login-memory.ts";
import { type AppDeps, createApp, listOperations } from "#src/app.ts";
import { createCatalogMemory } from "#src/catalog-memory.ts";
import { type Config, readConfig } from "#src/config.ts";
import { Problem } from "#src/http/openapi.ts";
import type { Operation } from "#src/http/operation.ts";
import type { Router } from "#src/http/router.ts";
import { faultsOf } from "#src/http/shapes.ts";
import { openLog } from "#src/log.ts";
import { aloneOnDatabase } from "#src/notices.ts";
import { assemble } from "#src/services.ts";
import { rolledBack } from "./transaction.ts";

export const testConfig = (settings: Record<string, string> = {}): Config =>
  readConfig({
    NODE_ENV: "test",
    LOG_LEVEL: "silent",
    PASSWORD_MEMORY_KIB: "19456",
    PASSWORD_PASSES: "2",
    ...settings,
  });

let keys: Promise<Keys> | undefined;
/** One pair of keys for all tests of a process. */
export const testKeys = (): Promise<Keys> => {
  keys ??= generateKey().then((key) => readKeys(JSON.stringify([key]), "test"));
  return keys;
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
export type Asking = { as?: string; body?: unknown; headers?: Record<string, string> };

export type Api = {
  deps: AppDeps;
  app: Router;
  ask(method: string, path: string, asking?: Asking): Promise<Answer>;
  get(path: string, asking?: Asking): Promise<Answer>;
  post(path: string, asking?: Asking): Promise<Answer>;
  patch(path: string, asking?: Asking): Promise<Answer>;
  delete(path: string, asking?: Asking): Promise<Answer>;
};

type ApiOptions = {
  settings?: Record<string, string>;
  nowMs?: () => number;
  /** Where log lines go. */
  logTo?: { write(line: string): void };
  deps?: Partial<AppDeps>;
};

/** Runs `work` against the real application on a transaction that is rolled back. */
export function withApi(work: (api: Api, db: Db) => Promise<void>, options: ApiOptions = {}): () => Promise<void> {
  return () => rolledBack(async (db) => work(await apiOn(db, options), db));
}

/** The real application on `db`. Every answer is checked against what its operation promises. */
export async function apiOn(db: Db, { settings, nowMs, logTo, deps: given }: ApiOptions = {}): Promise<Api> {
  const config = testConfig({ ...settings, ...(logTo ? { LOG_LEVEL: "trace" } : {}) });
  const memory = createLoginMemory(() => true, nowMs);
  const catalogMemory = createCatalogMemory(() => true, 2 ** 24);
  const notices = aloneOnDatabase((notice) => {
    memory.forget(notice);
    catalogMemory.forget(notice);
  });
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
    memory,
    catalogMemory,
    notices,
    health,
    addressOf: () => "192.0.2.1",
    isDraining: () => false,
  };
  const deps = { ...assemble({ ...parts, ...openLog(config, logTo) }, nowMs), ...given };
  const app = createApp(deps);
  const operations = listOperations(deps);
  const ask = async (method: string, path: string, { as, body, headers }: Asking = {}) => {
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
    expectPromised(operations, method, path, answer);
    return answer;
  };
  return {
    deps,
    app,
    ask,
    get: (path, asking) => ask("GET", path, asking),
    post: (path, asking) => ask("POST", path, asking),
    patch: (path, asking) => ask("PATCH", path, asking),
    delete: (path, asking) => ask("DELETE", path, asking),
  };
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

/** What holds for every answer: a request id, and a body in the shape that the operation promises. */
function expectPromised(operations: Operation[], method: string, path: string, answer: Answer) {
  expect(answer.headers.get("x-request-id")).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
  if (answer.status >= 400 && answer.json?.database_status === undefined) {
    if (method !== "HEAD") expect(faultsOf(Problem, answer.json)).toEqual([]);
    return;
  }
  const operation = operations.find((candidate) => candidate.method === method && matches(candidate.path, path));
  const schema = operation?.spec.answers[answer.status];
  if (schema && !operation?.spec.answerMedia) expect(faultsOf(schema, answer.json)).toEqual([]);
}

const matches = (pattern: string, path: string) =>
  new RegExp(`^${pattern.replaceAll(/:[A-Za-z]+/g, "[^/]+")}/?(\\?.*)?$`).test(path) &&
  (!path.includes("/criteria") || pattern.includes("criteria"));
