import type { Db } from "#db/client.ts";
import { readKeys } from "#src/access/keys.ts";
import { createTokens } from "#src/access/tokens.ts";
import { type Api, apiOn, testConfig } from "./harness.ts";

/** The application of a process that has these keys: the first signs. */
export async function apiWithKeys(db: Db, ...keys: object[]): Promise<Api> {
  const tokens = createTokens(testConfig(), await readKeys(JSON.stringify(keys), "test"));
  return apiOn(db, { deps: { tokens } });
}
