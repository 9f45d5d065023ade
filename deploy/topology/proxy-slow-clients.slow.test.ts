import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { describeProxied, openProxiedApp, type ProxiedApp } from "#test/proxied-app.ts";
import { askRaw } from "#test/raw-http.ts";
import type { SlowClients, SlowOutcome } from "#test/slow-clients.ts";

const PROGRAM = join(import.meta.dir, "../../test/slow-clients.ts");
const MEASURED_MS = 10_000;
const GAP_MS = 10;

describeProxied("slow clients", () => {
  let stand: ProxiedApp;
  let quietMs: number;
  beforeAll(async () => {
    stand = await openProxiedApp();
    await others(2000);
    quietMs = p99(await others(MEASURED_MS));
  });
  afterAll(() => stand?.close());

  /**
   * Sends 100 requests per second from four other addresses and returns their latencies. Fails if
   * a request fails.
   */
  async function others(forMs: number): Promise<number[]> {
    const asked: Promise<number>[] = [];
    const start = performance.now();
    for (let at = 0; at * GAP_MS < forMs; at++) {
      await Bun.sleep(Math.max(0, start + at * GAP_MS - performance.now()));
      asked.push(timed(`127.9.0.${1 + (at % 4)}`));
    }
    return Promise.all(asked);
  }

  async function timed(from: string): Promise<number> {
    const start = performance.now();
    const answer = await askRaw(stand.plain(from), "GET", "/health/ready");
    expect(answer.status).toBe(200);
    return performance.now() - start;
  }

  /** Runs slow clients and, once they are connected, other clients. */
  async function beside(told: Omit<SlowClients, "port">) {
    const child = Bun.spawn(
      [process.execPath, PROGRAM, JSON.stringify({ port: stand.plain().port, ...told })],
      {
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    // It writes to stderr when all connections are open.
    await child.stderr.getReader().read();
    const disturbedMs = p99(await others(MEASURED_MS));
    const outcome: SlowOutcome = JSON.parse(await new Response(child.stdout).text());
    const ratio = (disturbedMs / quietMs).toFixed(2);
    console.log(
      `others' p99 ${disturbedMs.toFixed(1)} ms, ${ratio} × the quiet ${quietMs.toFixed(1)} ms`,
      outcome,
    );
    return outcome;
  }

  test("2,000 headers at one byte per second: others get responses, and each slow request is ended", async () => {
    const outcome = await beside({
      ...{ slow: "header", connectionCount: 2000, network: 10, addressCount: 1 },
      ...{ holdMs: MEASURED_MS + 2000, patienceMs: 20_000 },
    });
    expect(outcome.mostOpenCount).toBeGreaterThanOrEqual(1900);
    expect([outcome.leftCount, outcome.longestLifeMs < 20_000]).toEqual([0, true]);
  });

  test("2,000 bodies at one byte per second from a hundred addresses: others get responses", async () => {
    const outcome = await beside({
      ...{ slow: "body", connectionCount: 2000, network: 11, addressCount: 100 },
      ...{ holdMs: MEASURED_MS + 2000, patienceMs: 0 },
    });
    expect(outcome.mostOpenCount).toBeGreaterThanOrEqual(1900);
  });

  test("2,000 bodies from one address: all but twenty are refused at once", async () => {
    const outcome = await beside({
      ...{ slow: "body", connectionCount: 2000, network: 12, addressCount: 1 },
      ...{ holdMs: MEASURED_MS + 2000, patienceMs: 20_000 },
    });
    expect([outcome.leftCount, outcome.answers]).toEqual([20, { 429: 1980 }]);
  });

  test("responses that clients do not read: others get responses, and each slow one is ended", async () => {
    const outcome = await beside({
      ...{ slow: "reading", connectionCount: 100, network: 13, addressCount: 10 },
      ...{ holdMs: MEASURED_MS, patienceMs: 20_000 },
    });
    expect([outcome.leftCount, outcome.longestLifeMs < 20_000]).toEqual([0, true]);
  });
});

const p99 = (durationsMs: number[]) =>
  durationsMs.sort((a, b) => a - b)[Math.floor(durationsMs.length * 0.99)] ?? Number.NaN;
