import { test } from "bun:test";
import { expectSerialRounds } from "#test/edit-rounds.ts";

test("of 2,000 rounds of edits at the same time each ends as in some order one after the other", async () => {
  await expectSerialRounds(2000);
}, 1_200_000);
