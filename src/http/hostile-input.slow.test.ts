import { expect, test } from "bun:test";
import { withApi } from "#test/harness.ts";
import { findHostileInputFaults, HOSTILE_TAGS } from "#test/hostile-requests.ts";

/**
 * Cases of each operation, in rounds: each round is a transaction, which holds only so many
 * savepoints.
 */
const [ROUNDS, CASES] = [25, 200];

test.each(HOSTILE_TAGS)(
  "5,000 hostile requests to each operation of %s are answered as documented",
  async (tag) => {
    const faults: string[] = [];
    for (let round = 0; round < ROUNDS && faults.length === 0; round++) {
      await withApi(async (api) => {
        faults.push(...(await findHostileInputFaults(api, tag, CASES)));
      })();
    }
    expect(faults).toEqual([]);
  },
);
