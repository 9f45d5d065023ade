import { afterAll } from "bun:test";
import {
  databaseOfWorker,
  startTestCluster,
  TEST_DATABASE_DIRECT_URL,
  TEST_DATABASE_URL,
} from "./cluster.ts";

// `./irontrack test` starts one PostgreSQL for the whole run; a plain `bun test` starts it here.
if (process.env[TEST_DATABASE_URL]) {
  const pathname = `/${databaseOfWorker(Number(process.env.BUN_TEST_WORKER_ID ?? 1))}`;
  for (const name of [TEST_DATABASE_URL, TEST_DATABASE_DIRECT_URL]) {
    const url = process.env[name];
    if (url) process.env[name] = Object.assign(new URL(url), { pathname }).href;
  }
} else {
  const cluster = await startTestCluster();
  process.env[TEST_DATABASE_URL] = cluster.url;
  afterAll(cluster.stop);
}
