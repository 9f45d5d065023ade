import { afterAll } from "bun:test";
import { startTestCluster, TEST_DATABASE_URL } from "./cluster.ts";

// `./irontrack test` starts one PostgreSQL for the whole run; a bare `bun test` gets one of its own here.
if (!process.env[TEST_DATABASE_URL]) {
  const cluster = await startTestCluster();
  process.env[TEST_DATABASE_URL] = cluster.url;
  afterAll(cluster.stop);
}
