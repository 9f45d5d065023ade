import { totalmem } from "node:os";
import { join } from "node:path";

/** PostgreSQL's configuration in production. */
export const CONFIGURATION = join(import.meta.dir, "../postgres/postgresql.conf");

const GIBIBYTE = 2 ** 30;

/** Settings for a smaller machine, which the memory settings of the reference host would exhaust. */
export const SMALL: Record<string, string> =
  totalmem() < 15 * GIBIBYTE ? { shared_buffers: "256MB", effective_cache_size: "1GB" } : {};
