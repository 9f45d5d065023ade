import { expect, test } from "bun:test";
import { withApi } from "#test/harness.ts";
import { findHostileInputFaults, HOSTILE_TAGS } from "#test/hostile-requests.ts";
import { listOperations } from "../app/app.ts";

/** As many as fit into the suite; `hostile-input.slow.test.ts` sends 5,000. */
const CASES = 100;

test(
  "every operation is sent hostile input",
  withApi(async (api) => {
    const tags = new Set(listOperations(api.deps).map(({ spec }) => spec.tag));
    expect([...tags].toSorted()).toEqual(HOSTILE_TAGS);
  }),
);

test.each(HOSTILE_TAGS)(
  "whatever an operation of %s is sent, it answers as documented, and PostgreSQL refuses nothing",
  (tag) =>
    withApi(async (api) => {
      expect(await findHostileInputFaults(api, tag, CASES)).toEqual([]);
    })(),
);
