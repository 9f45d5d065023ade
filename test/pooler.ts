import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startPooler } from "#deploy/topology/pooler.ts";
import {
  TEST_DATABASE_DIRECT_URL,
  TEST_DATABASE_PREPARE,
  TEST_DATABASE_URL,
  type TestCluster,
} from "./cluster.ts";

/** Larger than in production, because tests hold connections while others wait for their locks. */
const SETTINGS = { default_pool_size: "40", server_idle_timeout: "2" };

/**
 * Starts PgBouncer in front of the test PostgreSQL, and returns the environment for test files.
 * `true` selects the newest program.
 */
export async function startTestPooler({ cluster, dir }: TestCluster, program: string | true) {
  const pooler = await startPooler({
    directory: join(dir, "pooler"),
    postgresSocketDir: join(dir, "run"),
    user: "irontrack",
    password: randomBytes(24).toString("base64url"),
    runAs: cluster.runAs,
    settings: SETTINGS,
    ...(program === true ? {} : { program }),
  });
  console.log(
    `through PgBouncer ${pooler.version}, ${pooler.canPrepare ? "prepared" : "without prepared statements"}`,
  );
  return {
    environment: {
      [TEST_DATABASE_URL]: pooler.url("irontrack_test"),
      [TEST_DATABASE_DIRECT_URL]: cluster.url("irontrack_test"),
      [TEST_DATABASE_PREPARE]: String(pooler.canPrepare),
    },
    stop: pooler.stop,
  };
}
