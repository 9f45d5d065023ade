import { expect, test } from "bun:test";
import { listOperations } from "#src/app/app.ts";
import { withApi } from "#test/harness.ts";
import counts from "../counts.json" with { type: "json" };
import { HTTP_SCENARIOS } from "./http.ts";

test(
  "every operation has one scenario, with its counts",
  withApi(async (api) => {
    const operations = listOperations(api.deps).map(({ spec }) => spec.id);
    expect(HTTP_SCENARIOS.map(({ operation }) => operation).sort()).toEqual([...operations].sort());
    expect(Object.keys(counts).sort()).toEqual([...operations].sort());
  }),
);
