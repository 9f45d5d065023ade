import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "#test/config.ts";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectStatus, withApi } from "#test/harness.ts";
import { testDatabaseUrl } from "#test/transaction.ts";
import { operatorSocketPath } from "../app/operator-socket.ts";
import { type Listening, listen } from "../app/server.ts";
import { openServices, type Services } from "../app/services.ts";
import { openLog } from "../log/log.ts";
import { METRICS } from "./metrics.ts";

const dir = mkdtempSync(join(tmpdir(), "irontrack-metrics-"));
const unix = join(dir, "a.sock");
const operatorSocket = operatorSocketPath(unix);
const lines: string[] = [];
let services: Services;
let listening: Listening;

beforeAll(async () => {
  const config = testConfig({
    HOST: "",
    DATABASE_POOL_SIZE: "2",
    DATABASE_WAITING: "1",
    DATABASE_WAIT_MS: "60000",
    LOG_LEVEL: "trace",
  });
  const urls = { pooled: testDatabaseUrl(), direct: testDatabaseUrl() };
  const log = openLog(config, { write: (line) => void lines.push(line) });
  services = await openServices(config, urls, join(dir, "keys.json"), log);
  listening = await listen({ ...config, HOST: "" }, services, unix);
});
afterAll(async () => {
  await listening.stop();
  await services.close();
  rmSync(dir, { recursive: true, force: true });
});

const ask = (path: string, options: RequestInit = {}) =>
  fetch(`http://localhost${path}`, { ...options, unix });
const scrape = async () =>
  (await fetch("http://localhost/metrics", { unix: operatorSocket })).text();
/** The value of a series, 0 if it is missing. */
const sampleOf = (text: string, series: string) =>
  Number(
    text
      .split("\n")
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1) ?? 0,
  );

const FORM = "application/x-www-form-urlencoded";
const signInForm = (password: string) =>
  new URLSearchParams({ username: "canary-address@example.com", password }).toString();
const signIn = (password: string) =>
  ask("/api/v1/access/signin", {
    method: "POST",
    headers: { "content-type": FORM },
    body: signInForm(password),
  });

test("the metrics are valid Prometheus text, each described and written once", async () => {
  await ask("/health/live");
  const text = await scrape();
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const line of series)
    expect(line).toMatch(/^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+$/);
  const names = series.map((line) => line.replace(/ [^ ]*$/, ""));
  expect(new Set(names).size).toBe(names.length);
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name as string);
  expect(families.sort()).toEqual(Object.keys(METRICS).sort());
});

test("requests are counted exactly, by the operation's route pattern and never by the client's path", async () => {
  const series = (status: number, method: string, route: string) =>
    `irontrack_requests_total{method="${method}",route="${route}",status="${status}"}`;
  const before = await scrape();
  for (let n = 0; n < 5; n++) await ask("/health/live");
  for (let n = 0; n < 3; n++) await ask("/api/v1/exercises/6f1c1b1e-0000-7000-8000-000000000000");
  await ask("/canary-path/of/a/client", { method: "PURGE" });
  const after = await scrape();
  const rise = (name: string) => sampleOf(after, name) - sampleOf(before, name);
  expect(rise(series(200, "GET", "/health/live"))).toBe(5);
  expect(rise('irontrack_request_seconds_count{method="GET",route="/health/live"}')).toBe(5);
  expect(
    rise('irontrack_request_seconds_bucket{method="GET",route="/health/live",le="+Inf"}'),
  ).toBe(5);
  expect(rise(series(404, "any", "unmatched"))).toBe(1);
  expect(sampleOf(after, "irontrack_requests_in_flight")).toBe(0);
  expect(after).not.toContain("canary-path");
});

test("the operator socket serves health and metrics, the public one no metrics", async () => {
  expect((await ask("/metrics")).status).toBe(404);
  expect((await fetch("http://localhost/health/ready", { unix: operatorSocket })).status).toBe(200);
  expect((await fetch("http://localhost/api/v1/access/me", { unix: operatorSocket })).status).toBe(
    404,
  );
  expect(statSync(operatorSocket).mode & 0o777).toBe(0o660);
});

test("while all connections are in use, a few requests wait, others get 503 at once, and those that need no connection are answered", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { db } = services.deps;
  const started = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held = started.map((start) =>
    db.transaction(async () => {
      start.resolve();
      await promise;
    }),
  );
  await Promise.all(started.map(({ promise: begun }) => begun));
  // A raw socket, because fetch does not close its connection at a known time.
  const client = connect({ path: unix });
  const { tokens, nowMs } = services.deps;
  const claims = { userId: Bun.randomUUIDv7(), loginId: Bun.randomUUIDv7(), tokenId: "gone" };
  const token = await tokens.sign("access", { ...claims, issuedAtS: Math.floor(nowMs() / 1000) });
  try {
    // A read, since operations that end logins are finished even if the client disconnects.
    client.write(
      `GET /api/v1/access/me HTTP/1.1\r\nHost: localhost\r\nCookie: access_token=${token}\r\n\r\n`,
    );
    while (sampleOf(await scrape(), "irontrack_pool_waiting") === 0) await Bun.sleep(1);
    const refused = await signIn("whatever it is");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(((await refused.json()) as { code: string }).code).toBe("overloaded");
    for (const path of ["/ping", "/health/live", "/health/ready"])
      expect((await ask(path)).status).toBe(200);
    const text = await scrape();
    expect(sampleOf(text, 'irontrack_requests_shed_total{reason="queue_full"}')).toBe(1);
    expect(sampleOf(text, "irontrack_pool_in_use")).toBe(2);
    await new Promise((closed) => client.once("close", closed).destroy());
    await ask("/health/live");
  } finally {
    resolve();
    await Promise.all(held);
  }
  // The request of the client that disconnected sent no statement.
  const after = await scrape();
  expect(sampleOf(after, "irontrack_statements_abandoned_total")).toBe(1);
  expect(sampleOf(after, "irontrack_requests_aborted_total")).toBe(1);
  expect((await signIn("whatever it is")).status).toBe(401);
  expect(sampleOf(await scrape(), "irontrack_requests_on_database")).toBe(0);
});

test("user input is in no metric and no log line", async () => {
  await signIn("canary-password-9");
  await ask("/api/v1/access/me", {
    headers: { cookie: "access_token=canary-token", traceparent: "canary-trace" },
  });
  const everything = (await scrape()) + lines.join("");
  expect(everything).toContain("/api/v1/access/signin");
  for (const canary of ["canary-password-9", "canary-token", "canary-trace", "canary-address"]) {
    expect(everything).not.toContain(canary);
  }
  expect(everything).not.toContain(testDatabaseUrl());
});

test("a valid traceparent is in the request's log line, and in no response", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const answer = await ask("/health/live", {
    headers: { traceparent, "x-request-id": "traced-request" },
  });
  expect(JSON.stringify([...answer.headers])).not.toContain("4bf92f35");
  for (const zeros of [
    traceparent.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0".repeat(32)),
    `ff${traceparent.slice(2)}`,
  ])
    await ask("/health/live", {
      headers: { traceparent: zeros, "x-request-id": "untraced-request" },
    });
  const traceOf = (id: string) =>
    lines.filter((line) => line.includes(`"${id}"`)).map((line) => JSON.parse(line).traceparent);
  expect(traceOf("traced-request")).toEqual([traceparent]);
  expect(traceOf("untraced-request")).toEqual([undefined, undefined]);
});

test("only superusers get Server-Timing", async () => {
  await withApi(async (api) => {
    const superuser = await makeSignedIn(api, { roleSlug: "superuser" });
    const athlete = await makeSignedIn(api);
    const timing = async (as?: string) => {
      const answer = await api.get(as ? "/api/v1/access/me" : "/ping", as ? { as } : {});
      expectStatus(answer, 200);
      return answer.headers.get("server-timing");
    };
    expect(await timing(superuser.as)).toMatch(
      /^pool;dur=[\d.]+, db;dur=[\d.]+, total;dur=[\d.]+$/,
    );
    expect(await timing(athlete.as)).toBeNull();
    expect(await timing()).toBeNull();
  })();
});

test("docs/metrics.md lists exactly the metrics that exist", () => {
  const documented = [
    ...readFileSync("docs/metrics.md", "utf8").matchAll(/^\| `(irontrack_\w+)`[^|]*\| (.*) \|$/gm),
  ];
  expect(Object.fromEntries(documented.map(([, name, meaning]) => [name, meaning]))).toEqual(
    METRICS,
  );
});
