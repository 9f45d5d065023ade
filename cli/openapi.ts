import { openPool } from "#db/client.ts";
import { cookieNames } from "#src/access/cookies.ts";
import { generateKey, parseKeys } from "#src/access/keys.ts";
import { listOperations } from "#src/app/app.ts";
import { assemble } from "#src/app/services.ts";
import { createCatalogCache } from "#src/cache/catalog-cache.ts";
import { localInvalidations } from "#src/cache/invalidations.ts";
import { createLoginCache } from "#src/cache/login-cache.ts";
import { readConfig } from "#src/config/config.ts";
import { openLog } from "#src/log/log.ts";
import { openApiDocument } from "#src/operations/openapi.ts";

/** The OpenAPI document as it is committed: indented, so that changes are readable diffs. */
export async function openApiJson(): Promise<string> {
  const config = readConfig({ LOG_LEVEL: "silent" });
  const keys = await parseKeys(JSON.stringify([await generateKey()]), "a temporary key");
  // Never connects, because it would on first use and the operations are only listed.
  const db = openPool("postgres://nobody@localhost/none", { size: 1, prepare: false });
  const operations = listOperations(
    assemble({
      config,
      keys,
      db,
      ...openLog(config),
      loginCache: createLoginCache(() => false),
      catalogCache: createCatalogCache(() => false, 0),
      invalidations: localInvalidations(() => {}),
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
