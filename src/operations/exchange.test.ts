import { expect, test } from "bun:test";
import { testConfig } from "#test/config.ts";
import { withApi } from "#test/harness.ts";
import { createCatalogCache } from "../cache/catalog-cache.ts";
import { createRepeatRequests } from "../cache/repeat-requests.ts";
import { createCrossSite } from "../http/cross-site.ts";
import { plain } from "../http/reply.ts";
import { createRequestMetrics } from "../metrics/request-metrics.ts";
import { createBaseApp } from "./base-app.ts";
import type { OperationsDeps } from "./handler.ts";
import { type Operation, operation } from "./operation.ts";
import { operations } from "./operations.ts";

test(
  "an answer that cannot be turned into a response is a 500, and its request no longer counts as in flight",
  withApi(async ({ deps: { db } }) => {
    const requests = createRequestMetrics();
    const broken = { ...plain("pong"), headers: { "x-broken": "one line\nand another" } };
    const answering = (path: string, handle: Operation["handle"]) =>
      operation(
        "GET",
        path,
        { id: "Ping", tag: "System", access: "anyone", summary: "", answers: { 200: null } },
        handle,
      );
    const bugs: unknown[] = [];
    const deps: OperationsDeps = {
      db,
      requests,
      authenticate: () => {
        throw new Error("This operation needs no login");
      },
      recognise: () => undefined,
      repeatRequests: createRepeatRequests(createCatalogCache(() => true, 0)),
      crossSite: createCrossSite(testConfig()),
      idempotently: async (_request, run) => run(),
      requestLog: () => {},
      onBug: (error) => void bugs.push(error),
      isProxied: false,
      isDraining: () => false,
    };
    const list = [answering("/now", () => broken), answering("/later", async () => broken)];
    const app = createBaseApp(list, deps).use(operations("test", list, deps));
    for (const path of ["/now", "/later"]) {
      const answer = await app.fetch(new Request(`http://localhost${path}`));
      expect(answer.status).toBe(500);
      expect(await answer.json()).toMatchObject({ code: "internal" });
    }
    expect([requests.inFlight, bugs.length]).toEqual([0, 2]);
  }),
);
