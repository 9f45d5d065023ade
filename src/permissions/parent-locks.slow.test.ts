import { test } from "bun:test";
import { expectSerialRounds } from "#test/edit-rounds.ts";

test("in 2,000 rounds concurrent edits end as if they had run in some serial order", async () => {
  await expectSerialRounds(2000);
}, 1_200_000);
