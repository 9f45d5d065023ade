import { openPool } from "#db/client.ts";
import { cookieNames } from "../access/cookies.ts";
import { generateKey, readKeys } from "../access/keys.ts";
import { createLoginMemory } from "../access/login-memory.ts";
import { listOperations } from "../app.ts";
import { createCatalogMemory } from "../catalog-memory.ts";
import { readConfig } from "../config.ts";
import { openApiDocument } from "../http/openapi.ts";
import { openLog } from "../log.ts";
import { aloneOnDatabase } from "../notices.ts";
import { assemble } from "../services.ts";

/** The OpenAPI document as it is committed: indented, so that a change of the API is a readable diff. */
export async function openApiJson(): Promise<string> {
  const config = readConfig({ LOG_LEVEL: "silent" });
  const keys = await readKeys(JSON.stringify([await generateKey()]), "a key made for this");
  // Connects on first use, which is never: the routes are only listed.
  const db = openPool("postgres://nobody@localhost/none", { size: 1, prepare: false });
  const operations = listOperations(
    assemble({
      config,
      keys,
      db,
      ...openLog(config),
      memory: createLoginMemory(() => false),
      catalogMemory: createCatalogMemory(() => false, 0),
      notices: aloneOnDatabase(() => {}),
      health: {
        isDatabaseOnline: () => false,
        isCacheOnline: () => false,
        isSchemaCurrent: () => true,
        stop: () => {},
      },
      addressOf: () => null,
      isDraining: () => false,
    }),
  );
  return `${JSON.stringify(openApiDocument(operations, cookieNames(config)), null, 2)}\n`;
}
